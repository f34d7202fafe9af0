// The stage: backdrop, playfield, combo counter and the glow of kiai time.

import { MANIA } from './beatmap.js';
import { fit } from './timeline.js';

const DIM = 0.72; // of the backdrop's picture
const calm = matchMedia('(prefers-reduced-motion: reduce)');

export class Stage {
  #picture = null;
  #drawn = ''; // what the backdrop shows

  constructor(back, canvas) {
    Object.assign(this, { back, canvas, map: null, field: null });
  }

  show(map, field) {
    this.map = map;
    this.field = field;
    this.size = null;
  }

  /** The map has a picture (Blob or URL) or none. */
  async picture(source) {
    this.#picture?.close?.();
    this.#picture = null;
    this.#drawn = '';
    if (!source) return;
    try {
      const blob = typeof source === 'string' ? await (await fetch(source)).blob() : source;
      this.#picture = await createImageBitmap(blob);
    } catch {
      return; // a picture that cannot be shown is none
    }
    this.#drawn = '';
  }

  draw(time) {
    const { context, width, height, ratio } = fit(this.canvas);
    const w = Math.round(width * ratio), h = Math.round(height * ratio), size = `${w}x${h}`;
    this.#backdrop(size);
    if (this.size !== size) {
      this.size = size;
      this.field.resize(w, h);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, w, h);
    this.#kiai(context, w, h, time);
    this.field.draw(context, time);
    this.#combo(context, w, h, ratio, time);
  }

  #backdrop(size) {
    if (this.#drawn === size) return;
    this.#drawn = size;
    const { context: c, width, height } = fit(this.back);
    const glow = c.createRadialGradient(width / 2, height * 0.42, 0, width / 2, height * 0.42, Math.max(width, height) * 0.72);
    glow.addColorStop(0, '#23263a');
    glow.addColorStop(0.6, '#14151f');
    glow.addColorStop(1, '#0a0b10');
    c.fillStyle = glow;
    c.fillRect(0, 0, width, height);
    if (!this.#picture) return;
    const scale = Math.max(width / this.#picture.width, height / this.#picture.height);
    const w = this.#picture.width * scale, h = this.#picture.height * scale;
    c.drawImage(this.#picture, (width - w) / 2, (height - h) / 2, w, h);
    c.fillStyle = `rgba(8,9,14,${DIM})`;
    c.fillRect(0, 0, width, height);
  }

  #kiai(context, w, h, time) {
    if (calm.matches || !this.map.timing.point(time).kiai) return;
    const red = this.map.timing.red(time), beat = ((((time - red.time) / red.beatLength) % 1) + 1) % 1;
    const glow = 0.34 * (1 - beat) ** 1.6, wide = Math.min(w * 0.16, h * 0.3);
    for (const [from, to] of [[0, wide], [w, w - wide]]) {
      const gradient = context.createLinearGradient(from, 0, to, 0);
      gradient.addColorStop(0, `rgba(255,150,60,${glow})`);
      gradient.addColorStop(1, 'rgba(255,150,60,0)');
      context.fillStyle = gradient;
      context.fillRect(Math.min(from, to), 0, wide, h);
    }
  }

  #combo(context, w, h, ratio, time) {
    const combo = this.field.combo(time);
    if (!combo) return;
    const mania = this.map.mode === MANIA, size = Math.max(18 * ratio, Math.min(h * 0.075, w * 0.07));
    context.font = `700 ${size}px "Segoe UI", system-ui, sans-serif`;
    context.textAlign = mania ? 'center' : 'left';
    context.textBaseline = 'alphabetic';
    context.fillStyle = 'rgba(255,255,255,.82)';
    context.shadowColor = 'rgba(0,0,0,.6)';
    context.shadowBlur = size * 0.15;
    context.fillText(mania ? combo : `${combo}×`, mania ? w / 2 : 14 * ratio, mania ? h * 0.3 : h - 14 * ratio);
    context.shadowBlur = 0;
  }
}
