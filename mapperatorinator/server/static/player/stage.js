// The stage: backdrop, playfield, combo counter and the glow of kiai time.

import { CATCH, MANIA } from './beatmap.js';
import { Sprites, label } from './field.js';

const DIM = 0.72; // of the backdrop's picture
const KIAI = [255, 150, 60];
const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** The canvas's context in CSS px, its pixels made to fit: {c, width, height, ratio}. */
export function fit(canvas, options) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2), width = canvas.clientWidth, height = canvas.clientHeight;
  const w = Math.round(width * ratio), h = Math.round(height * ratio), c = canvas.getContext('2d', options);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { c, width, height, ratio };
}

export class Stage {
  #picture = null;
  #sprites = new Sprites();
  #size = '';

  constructor(canvas) {
    Object.assign(this, { canvas, map: null, field: null });
  }

  show(map, field) {
    Object.assign(this, { map, field });
    this.#size = '';
  }

  /** The map has a picture (Blob or URL) or none. */
  async picture(source) {
    let picture = null;
    try {
      const blob = typeof source === 'string' ? await (await fetch(source)).blob() : source;
      if (blob) picture = await createImageBitmap(blob);
    } catch {
      picture = null; // one that cannot be shown is none
    }
    this.#picture?.close();
    this.#picture = picture;
    this.#size = '';
  }

  draw(time) {
    const { c, ratio } = fit(this.canvas, { alpha: false }), { width: w, height: h } = this.canvas;
    if (this.#size !== `${w}x${h}`) {
      this.#size = `${w}x${h}`;
      this.#sprites.clear();
      this.field.resize(w, h);
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(this.#sprites.get('back', w, h, (b) => this.#backdrop(b, w, h)), 0, 0);
    if (this.map.timing.point(time).kiai && !calm.matches) {
      const glow = this.#sprites.glow(KIAI, h * 0.6), beat = this.map.timing.phase(time);
      c.globalAlpha = 0.36 * (1 - beat) ** 1.6;
      for (const x of [-h * 0.25, w + h * 0.25]) c.drawImage(glow, x - h * 0.6, -h * 0.1);
      c.globalAlpha = 1;
    }
    this.field.draw(c, time);
    const combo = this.field.combo(time), size = Math.max(18 * ratio, Math.min(h * 0.075, w * 0.07));
    if (combo && this.map.mode === MANIA) label(c, combo, w / 2, h * 0.28, size);
    else if (combo) label(c, `${combo}×`, 14 * ratio, this.map.mode === CATCH ? size : h - 14 * ratio - size / 2, size, 'left');
  }

  #backdrop(c, w, h) {
    const glow = c.createRadialGradient(w / 2, h * 0.42, 0, w / 2, h * 0.42, Math.max(w, h) * 0.72);
    glow.addColorStop(0, '#23263a');
    glow.addColorStop(0.6, '#14151f');
    glow.addColorStop(1, '#0a0b10');
    c.fillStyle = glow;
    c.fillRect(0, 0, w, h);
    if (!this.#picture) return;
    const { width, height } = this.#picture, scale = Math.max(w / width, h / height);
    c.drawImage(this.#picture, (w - width * scale) / 2, (h - height * scale) / 2, width * scale, height * scale);
    c.fillStyle = `rgba(8,9,14,${DIM})`;
    c.fillRect(0, 0, w, h);
  }
}
