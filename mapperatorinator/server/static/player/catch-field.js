// The playfield of catch: fruits, droplets and bananas fall, a catcher dashes below them.

import { Sprites, Visible, clamp01, countUntil, disc, mix, rgb, stamp, WHITE } from './field.js';
import { catcherWidth, fallingOf } from './juice.js';
import { circleScale } from './stacking.js';

const MARGIN = 40, PLATE = 340, BELOW = 70; // px: beside the field, height of fall, below the plate
const HYPER = [255, 60, 60], BANANA = [255, 225, 60], AFTER = 260;
const SIZES = { fruit: 0.62, droplet: 0.3, tiny: 0.16, banana: 0.5 };

export class CatchField {
  aspect = 1.32;

  constructor(map) {
    this.map = map;
    this.sprites = new Sprites();
    this.update();
  }

  update() {
    const { map } = this;
    this.falling = fallingOf(map);
    this.visible = new Visible(this.falling);
    this.preempt = map.preempt;
    this.radius = 64 * circleScale(map.cs);
    this.width = catcherWidth(map.cs);
    this.stops = [];
    let x = 256;
    for (const { kind, time, x: at, hyper } of this.falling) {
      const slack = kind === 'banana' ? this.width * 0.2 : kind === 'fruit' ? 0 : this.width * 0.3;
      x = Math.min(Math.max(x, at - slack), at + slack);
      this.stops.push({ time, x, hyper: Boolean(hyper) });
    }
    this.times = this.stops.map(({ time }) => time);
    this.hits = this.falling.filter(({ kind }) => kind === 'fruit' || kind === 'droplet').map(({ time }) => time);
  }

  combo(time) {
    return countUntil(this.hits, time);
  }

  resize(width, height) {
    const scale = Math.min(width / (512 + 2 * MARGIN), height / (PLATE + BELOW));
    if (scale !== this.scale) this.sprites.clear();
    Object.assign(this, { scale, left: (width - 512 * scale) / 2, floor: height - BELOW * scale });
  }

  px(x) { return this.left + x * this.scale; }

  draw(context, time) {
    this.#border(context);
    const [first, after] = this.visible.range(time - AFTER, time + this.preempt * (this.floor / this.scale / PLATE) + 50);
    this.#catcher(context, time);
    for (let i = after - 1; i >= first; i--) {
      const falling = this.falling[i], ahead = falling.time - time;
      if (ahead >= 0) this.#fall(context, falling, this.px(falling.x), this.floor - (ahead / this.preempt) * PLATE * this.scale, time, 1);
      else this.#burst(context, falling, -ahead);
    }
    context.globalAlpha = 1;
  }

  #border(context) {
    const gradient = context.createLinearGradient(0, 0, 0, this.floor);
    gradient.addColorStop(0, 'rgba(255,255,255,.0)');
    gradient.addColorStop(1, 'rgba(255,255,255,.10)');
    context.fillStyle = gradient;
    context.fillRect(this.px(0) - 1, 0, 1, this.floor);
    context.fillRect(this.px(512), 0, 1, this.floor);
    context.fillStyle = 'rgba(255,255,255,.12)';
    context.fillRect(this.px(-MARGIN), this.floor + this.scale * 8, (512 + 2 * MARGIN) * this.scale, 1);
  }

  #fall(context, falling, x, y, time, scale) {
    const colour = falling.kind === 'banana' ? BANANA : this.map.colour(falling.source);
    const sprite = this.#sprite(falling, colour);
    if (falling.hyper) {
      const r = this.radius * this.scale * SIZES[falling.kind] * 1.45, pulse = 0.75 + 0.25 * Math.sin(time / 70);
      context.globalAlpha = 0.85 * pulse;
      context.strokeStyle = rgb(HYPER);
      context.lineWidth = r * 0.22;
      context.beginPath();
      context.arc(x, y, r, 0, 7);
      context.stroke();
      context.globalAlpha = 0.25 * pulse;
      context.fillStyle = rgb(HYPER);
      context.fill();
    }
    context.globalAlpha = 1;
    stamp(context, sprite, x, y, scale);
  }

  #sprite({ kind, number }, colour) {
    const radius = this.radius * this.scale * SIZES[kind], size = Math.ceil(2.6 * radius + 4), shape = kind === 'fruit' ? number % 4 : 0;
    return this.sprites.get(`${kind}${shape}${colour}`, size, size, (c) => {
      if (kind === 'fruit') fruit(c, size, radius, colour, shape);
      else if (kind === 'banana') banana(c, size, radius);
      else disc(c, size, radius, mix(colour, WHITE, 0.15), WHITE, 0.2);
    });
  }

  #burst(context, falling, since) {
    const f = since / AFTER;
    if (f >= 1 || falling.kind === 'tiny') return;
    const colour = falling.kind === 'banana' ? BANANA : this.map.colour(falling.source);
    const r = this.radius * this.scale * (0.4 + 0.8 * f), x = this.px(falling.x);
    context.globalAlpha = 0.7 * (1 - f) ** 2;
    context.strokeStyle = rgb(mix(colour, WHITE, 0.4));
    context.lineWidth = r * 0.16;
    context.beginPath();
    context.ellipse(x, this.floor, r * 1.2, r * 0.5, 0, 0, 7);
    context.stroke();
  }

  /** Where the catcher is, and whether it dashes: {x, hyper, dash, way}. */
  catcherAt(time) {
    const i = countUntil(this.times, time) - 1, from = this.stops[i], to = this.stops[i + 1];
    if (!from || !to) return { x: (from ?? to)?.x ?? 256, way: 1 };
    const gap = to.time - from.time, distance = Math.abs(to.x - from.x), way = to.x < from.x ? -1 : 1;
    const walk = from.hyper ? gap : Math.max(Math.min(gap, distance / 0.5), Math.min(gap, distance));
    const f = clamp01((time - from.time) / Math.max(1, walk));
    return { x: from.x + (to.x - from.x) * f, hyper: from.hyper && f < 1, dash: distance / Math.max(1, gap) > 0.5 && f < 1, way };
  }

  #catcher(context, time) {
    const now = this.catcherAt(time), half = (this.width / 0.8 / 2) * this.scale;
    const trail = now.hyper ? 7 : now.dash ? 4 : 0;
    for (let back = trail; back >= 0; back--) {
      const { x } = back ? this.catcherAt(time - back * 14) : now;
      context.globalAlpha = back ? 0.2 * (1 - back / (trail + 1)) : 1;
      this.#plate(context, this.px(x), half, now.hyper ? HYPER : [120, 200, 255], now.way, back > 0);
    }
    context.globalAlpha = 1;
  }

  #plate(context, x, half, colour, way, ghost) {
    const y = this.floor, s = this.scale;
    context.fillStyle = rgb(colour);
    context.beginPath();
    context.roundRect(x - half, y, 2 * half, 7 * s, 3.5 * s);
    context.fill();
    if (ghost) return;
    context.fillStyle = '#fff';
    context.fillRect(x - half + 4 * s, y + 1.4 * s, 2 * half - 8 * s, 1.4 * s);
    context.fillStyle = rgb(mix(colour, [20, 30, 60], 0.35));
    context.beginPath(); // a small figure carries the plate
    context.roundRect(x - 10 * s, y + 24 * s, 20 * s, 30 * s, 9 * s);
    context.fill();
    context.strokeStyle = context.fillStyle;
    context.lineWidth = 5 * s;
    context.lineCap = 'round';
    context.beginPath();
    context.moveTo(x - 8 * s, y + 32 * s);
    context.lineTo(x - 20 * s, y + 9 * s);
    context.moveTo(x + 8 * s, y + 32 * s);
    context.lineTo(x + 20 * s, y + 9 * s);
    context.stroke();
    context.fillStyle = '#ffe3cf';
    context.beginPath();
    context.arc(x, y + 20 * s, 9.5 * s, 0, 7);
    context.fill();
    context.fillStyle = '#223';
    for (const eye of [-3, 3]) {
      context.beginPath();
      context.arc(x + (eye + 2 * way) * s, y + 18.5 * s, 1.5 * s, 0, 7);
      context.fill();
    }
  }
}

function fruit(c, size, radius, colour, shape) {
  const m = size / 2;
  disc(c, size, radius, colour, mix(colour, WHITE, 0.75), 0.1);
  c.fillStyle = c.strokeStyle = 'rgba(255,255,255,.75)';
  c.lineWidth = radius * 0.12;
  c.lineCap = 'round';
  c.beginPath();
  if (shape === 0) c.arc(m, m, radius * 0.42, 0, 7);
  else if (shape === 1) for (const [dx, dy] of [[0, -0.38], [-0.36, 0.26], [0.36, 0.26]]) { c.moveTo(m + (dx + 0.18) * radius, m + dy * radius); c.arc(m + dx * radius, m + dy * radius, radius * 0.2, 0, 7); }
  else if (shape === 2) for (let i = 0; i < 5; i++) { c.moveTo(m, m); c.lineTo(m + 0.55 * radius * Math.cos(i * 1.2566), m + 0.55 * radius * Math.sin(i * 1.2566)); }
  else { c.moveTo(m, m - radius * 0.5); c.lineTo(m + radius * 0.46, m + radius * 0.34); c.lineTo(m - radius * 0.46, m + radius * 0.34); c.closePath(); }
  c.stroke();
  c.strokeStyle = '#7ac74f';
  c.lineWidth = radius * 0.16;
  c.beginPath();
  c.moveTo(m, m - radius * 0.95);
  c.quadraticCurveTo(m + radius * 0.1, m - radius * 1.2, m + radius * 0.4, m - radius * 1.2);
  c.stroke();
}

function banana(c, size, radius) {
  const m = size / 2;
  c.strokeStyle = '#fff6c0';
  c.lineCap = 'round';
  for (const [width, style] of [[0.72, '#fff8d0'], [0.54, rgb(BANANA)]]) {
    c.lineWidth = radius * width;
    c.strokeStyle = style;
    c.beginPath();
    c.arc(m, m - radius * 0.5, radius * 0.95, 0.5, 2.64);
    c.stroke();
  }
}
