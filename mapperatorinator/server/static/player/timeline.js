// Below the playfield: the beats around now with their objects (zoomed), and the whole song as a strip.

import { MANIA, TAIKO } from './beatmap.js';
import { effortOf } from './effort.js';
import { Visible, box, dot, rgb } from './field.js';
import { fit } from './stage.js';

const SNAPS = { 1: '#ffffff', 2: '#ff5d5d', 3: '#c77dff', 4: '#5aa9ff', 6: '#c77dff', 8: '#ffd84d', 12: '#9aa3b5', 16: '#9aa3b5' };
const SEVERITY = { problem: '#ff4d5e', warning: '#ffb13d', minor: '#58b8ff', info: '#58b8ff' };
const DON = 'rgb(235,69,44)', KAT = 'rgb(68,141,171)';
const NOW = 0.5; // where the zoomed timeline shows the present
const CLICK = 4; // px that a pointer may move in a click
const LEAST_ZOOM = 0.02, MOST_ZOOM = 1; // CSS px per ms

export class Timeline {
  /** `host`: {currentTime, begin, duration, seek(ms), select(range | null, isFinal), mark(mark)}. */
  constructor(zoomed, overview, host) {
    Object.assign(this, { zoomed, overview, host, zoom: 0.14, marks: [], range: null, map: null, strip: null });
    this.theme();
    this.#listenOverview();
    this.#listenZoomed();
  }

  show(map) {
    this.map = map;
    this.visible = new Visible(map.objects);
    this.strip = null;
  }

  /** Colours have changed: read the style sheet again. */
  theme() {
    const style = getComputedStyle(this.zoomed), get = (name, other) => style.getPropertyValue(name).trim() || other;
    this.ink = get('--player-ink', '#e8eaf0');
    this.dim = get('--player-dim', '#8a91a3');
    this.line = get('--player-line', '#333a4a');
    this.accent = get('--player-accent', '#ff66ab');
    this.back = get('--player-panel', '#171a22');
    this.strip = null;
  }

  zoomBy(factor) {
    this.zoom = Math.min(Math.max(this.zoom * factor, LEAST_ZOOM), MOST_ZOOM);
  }

  draw(time) {
    if (!this.map) return;
    this.#drawZoomed(fit(this.zoomed), time);
    this.#drawOverview(fit(this.overview), time);
  }

  // the zoomed timeline

  #drawZoomed({ c, width, height }, time) {
    const x = (at) => width * NOW + (at - time) * this.zoom, from = time - (width * NOW) / this.zoom, to = from + width / this.zoom;
    c.fillStyle = this.back;
    c.fillRect(0, 0, width, height);
    this.#bands(c, x, height);
    this.#ticks(c, x, from, to, height);
    const [first, after] = this.visible.range(from - 100, to + 100), middle = height * 0.5;
    for (let i = after - 1; i >= first; i--) this.#object(c, this.map.objects[i], x, middle, height);
    for (const mark of this.marks) if (mark.time >= from && mark.time <= to) flag(c, x(mark.time), height, mark);
    c.fillStyle = this.accent;
    c.fillRect(Math.round(width * NOW) - 1, 0, 2, height);
  }

  #bands(c, x, height) {
    c.fillStyle = 'rgba(255,160,40,.10)';
    for (const { start, end } of this.map.timing.kiai(this.host.duration)) c.fillRect(x(start), 0, x(end) - x(start), height);
    c.fillStyle = 'rgba(128,128,128,.14)';
    for (const { start, end } of this.map.breaks) c.fillRect(x(start), 0, x(end) - x(start), height);
    if (!this.range) return;
    const [start, end] = this.range;
    c.fillStyle = this.accent;
    c.globalAlpha = 0.2;
    c.fillRect(x(start), 0, x(end) - x(start), height);
    c.globalAlpha = 0.9;
    c.fillRect(x(start) - 1, 0, 2, height);
    c.fillRect(x(end) - 1, 0, 2, height);
    c.globalAlpha = 1;
  }

  /** The finest beat divisor whose ticks do not crowd. */
  get divisor() {
    const beat = this.map.timing.red(this.host.currentTime).beatLength;
    return [16, 8, 4, 2].find((n) => (beat / n) * this.zoom >= 9) ?? 1;
  }

  #ticks(c, x, from, to, height) {
    if ((to - from) / Math.max(6, this.map.timing.red(from).beatLength) > 400) return;
    this.map.timing.ticks(from, to, this.divisor, (time, snap, isMeasure) => {
      const tall = isMeasure ? 1 : snap === 1 ? 0.42 : snap === 2 ? 0.26 : 0.18;
      c.fillStyle = snap === 1 ? this.ink : SNAPS[snap] ?? this.dim;
      c.globalAlpha = isMeasure ? 0.5 : 0.85;
      c.fillRect(Math.round(x(time)), height * (1 - tall), 1, height * tall);
    });
    c.globalAlpha = 1;
  }

  #object(c, object, x, middle, height) {
    const { mode, keys } = this.map, start = x(object.time), end = x(object.end);
    let y = middle - 2, r = height * 0.2, colour = rgb(this.map.colour(object));
    if (mode === MANIA) {
      r = Math.max(1.5, (height * 0.8) / keys / 2.6);
      y = height * (0.08 + (0.8 * (object.column + 0.5)) / keys);
      colour = SNAPS[this.map.timing.snap(object.time)] ?? this.dim;
      if (colour === '#ffffff') colour = this.ink;
    } else if (mode === TAIKO) {
      r *= object.sound & 4 ? 1.15 : 0.8;
      if (object.kind === 'circle') colour = object.sound & 10 ? KAT : DON;
    }
    if (end - start > 1) {
      c.globalAlpha = 0.55;
      box(c, start - r, y - r, end - start + 2 * r, 2 * r, r, colour);
      c.globalAlpha = 1;
    }
    dot(c, start, y, r, colour);
    if (mode === MANIA) return;
    c.lineWidth = 1.5;
    c.strokeStyle = this.ink;
    c.stroke();
    if (mode === 0 && r > 7) {
      c.fillStyle = isBright(this.map.colour(object)) ? '#111' : '#fff';
      c.font = `600 ${r * 1.05}px system-ui, sans-serif`;
      c.textAlign = 'center';
      c.textBaseline = 'middle';
      c.fillText(object.number, start, y + 0.5);
    }
  }

  #listenZoomed() {
    const el = this.zoomed;
    let from = null, moved = false;
    const at = (event) => this.host.currentTime + (event.offsetX - el.clientWidth * NOW) / this.zoom;
    el.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      from = { x: event.offsetX, time: at(event) };
      moved = false;
      el.setPointerCapture(event.pointerId);
    });
    el.addEventListener('pointermove', (event) => {
      if (!from) {
        el.title = this.#markAt(at(event))?.label ?? '';
        return;
      }
      moved ||= Math.abs(event.offsetX - from.x) > CLICK;
      if (moved) this.host.select(this.#snapped(from.time, at(event)), false);
    });
    el.addEventListener('pointerup', (event) => {
      if (!from) return;
      const start = from.time;
      from = null;
      if (moved) this.host.select(this.#snapped(start, at(event)), true);
      else this.#click(at(event));
    });
    el.addEventListener('pointercancel', () => { from = null; });
    el.addEventListener('wheel', (event) => {
      event.preventDefault();
      const way = Math.sign(event.deltaY || event.deltaX);
      if (event.ctrlKey || event.shiftKey) this.zoomBy(way > 0 ? 1 / 1.25 : 1.25);
      else if (this.map) this.host.seek(this.map.timing.step(this.host.currentTime, way, Math.min(4, this.divisor)));
    }, { passive: false });
  }

  #markAt(time) {
    return this.marks.find((mark) => Math.abs(mark.time - time) * this.zoom < 8);
  }

  #click(time) {
    if (!this.map) return;
    const mark = this.#markAt(time);
    if (mark) this.host.mark(mark);
    this.host.seek(mark ? mark.time : this.#near(time));
  }

  #near(time) {
    const { timing } = this.map, before = timing.step(time + 1, -1, this.divisor), after = timing.step(before, 1, this.divisor);
    return time - before < after - time ? before : after;
  }

  #snapped(a, b) {
    const limit = (time) => Math.min(Math.max(Math.round(this.#near(time)), 0), this.host.duration);
    return [limit(Math.min(a, b)), limit(Math.max(a, b))];
  }

  // the overview

  #drawOverview({ c, width, height, ratio }, time) {
    if (this.strip?.width !== Math.round(width * ratio)) this.strip = this.#makeStrip(width, height, ratio);
    c.drawImage(this.strip, 0, 0, width, height);
    const x = (at) => this.#toOverview(at, width);
    c.fillStyle = this.accent;
    if (this.range) {
      c.globalAlpha = 0.3;
      c.fillRect(x(this.range[0]), 0, Math.max(2, x(this.range[1]) - x(this.range[0])), height);
    }
    c.globalAlpha = 0.14;
    c.fillRect(0, 0, x(time), height);
    c.globalAlpha = 1;
    c.fillRect(x(time) - 1, 0, 2, height);
    for (const mark of this.marks) flag(c, x(mark.time), height, mark, 3.2);
  }

  #toOverview(time, width) {
    const { begin, duration } = this.host;
    return ((time - begin) / Math.max(1, duration - begin)) * width;
  }

  #makeStrip(width, height, ratio) {
    const canvas = new OffscreenCanvas(Math.round(width * ratio), Math.round(height * ratio)), c = canvas.getContext('2d');
    c.scale(ratio, ratio);
    c.fillStyle = this.back;
    c.fillRect(0, 0, width, height);
    const x = (at) => this.#toOverview(at, width), { duration, begin } = this.host;
    c.fillStyle = 'rgba(255,160,40,.8)';
    for (const { start, end } of this.map.timing.kiai(duration)) c.fillRect(x(start), height - 3, x(end) - x(start), 3);
    c.fillStyle = 'rgba(128,128,128,.22)';
    for (const { start, end } of this.map.breaks) c.fillRect(x(start), 0, x(end) - x(start), height);
    const bins = Math.max(16, Math.floor(width / 3)), { density, strain } = effortOf(this.map, Math.max(1, duration), bins);
    const top = Math.max(6, ...density), room = height - 8, scale = (width * duration) / Math.max(1, duration - begin) / bins;
    const trace = (values, most) => {
      c.beginPath();
      values.forEach((value, i) => c.lineTo(x(0) + (i + 0.5) * scale, height - 3 - (value / most) * room));
    };
    trace(density, top);
    c.lineTo(width, height - 3);
    c.lineTo(x(0), height - 3);
    c.fillStyle = this.dim;
    c.globalAlpha = 0.45;
    c.fill();
    trace(strain, 1);
    c.globalAlpha = 1;
    c.strokeStyle = this.accent;
    c.lineWidth = 1.25;
    c.stroke();
    return canvas;
  }

  #listenOverview() {
    const el = this.overview;
    const go = (event) => {
      const { begin, duration } = this.host;
      this.host.seek(begin + (event.offsetX / Math.max(1, el.clientWidth)) * (duration - begin));
    };
    el.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      el.setPointerCapture(event.pointerId);
      go(event);
    });
    el.addEventListener('pointermove', (event) => { if (el.hasPointerCapture(event.pointerId)) go(event); });
  }
}

const isBright = ([r, g, b]) => 0.3 * r + 0.59 * g + 0.11 * b > 150;

function flag(c, x, height, { severity }, size = 5) {
  c.fillStyle = SEVERITY[severity] ?? SEVERITY.info;
  c.fillRect(x - 0.75, 0, 1.5, height);
  c.beginPath();
  c.moveTo(x - size, 0);
  c.lineTo(x + size, 0);
  c.lineTo(x, size * 1.5);
  c.fill();
}
