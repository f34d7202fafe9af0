// The playfield of catch: fruits, droplets and bananas fall, a catcher dashes below them.

import {
  Sprites, Visible, box, clamp01, countUntil, disc, dot, mix, rgb, ring, stamp, stroke, WHITE, white, ellipse,
} from './field.js';
import { catcherWidth, fallingOf } from './juice.js';
import { circleScale } from './stacking.js';

const MARGIN = 40, FALL = 340, BELOW = 70; // px: beside the field, height of fall, below the plate
const HYPER = [255, 60, 60], CALM = [120, 200, 255], BANANA = [255, 225, 60];
const SIZES = { fruit: 0.62, droplet: 0.3, tiny: 0.16, banana: 0.5 }; // of the radius of a circle
const SLACK = { fruit: 0, droplet: 0.3, tiny: 0.3, banana: 0.2 }; // how far from its middle the plate may catch
const AFTER = 260, WALK = 0.5; // ms; px per ms of a catcher that does not dash

export class CatchField {
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
    let x = 256;
    this.stops = this.falling.map(({ kind, time, x: at, hyper }) => {
      const slack = SLACK[kind] * this.width;
      x = Math.min(Math.max(x, at - slack), at + slack);
      return { time, x, hyper: Boolean(hyper) };
    });
    this.times = this.stops.map(({ time }) => time);
    this.hits = this.falling.filter(({ kind }) => kind === 'fruit' || kind === 'droplet').map(({ time }) => time);
  }

  combo(time) {
    return countUntil(this.hits, time);
  }

  resize(width, height) {
    const scale = Math.min(width / (512 + 2 * MARGIN), height / (FALL + BELOW));
    if (scale !== this.scale) this.sprites.clear();
    Object.assign(this, { scale, left: (width - 512 * scale) / 2, floor: height - BELOW * scale });
  }

  px(x) { return this.left + x * this.scale; }

  draw(c, time) {
    const { scale, floor } = this, seen = (this.preempt * floor) / scale / FALL;
    const [first, after] = this.visible.range(time - AFTER, time + seen + 50);
    c.fillStyle = white(0.06);
    c.fillRect(this.px(0) - 1, 0, 1, floor);
    c.fillRect(this.px(512), 0, 1, floor);
    c.fillRect(0, floor + 8 * scale, 2 * this.left + 512 * scale, 1);
    this.#catcher(c, time);
    for (let i = after - 1; i >= first; i--) {
      const falling = this.falling[i], ahead = falling.time - time;
      if (ahead >= 0) this.#fall(c, falling, this.px(falling.x), floor - (ahead / this.preempt) * FALL * scale, time);
      else if (ahead > -AFTER && falling.kind !== 'tiny') this.#burst(c, falling, -ahead / AFTER);
    }
    c.globalAlpha = 1;
  }

  #colour({ kind, source }) {
    return kind === 'banana' ? BANANA : this.map.colour(source);
  }

  #fall(c, falling, x, y, time) {
    if (falling.hyper) {
      const r = this.radius * this.scale * SIZES[falling.kind] * 1.4, pulse = 0.75 + 0.25 * Math.sin(time / 70);
      c.globalAlpha = 0.85 * pulse;
      ring(c, x, y, r, r * 0.2, rgb(HYPER));
      c.globalAlpha = 0.25 * pulse;
      c.fillStyle = rgb(HYPER);
      c.fill();
    }
    c.globalAlpha = 1;
    stamp(c, this.#sprite(falling), x, y);
  }

  #sprite(falling) {
    const { kind, number } = falling, colour = this.#colour(falling), shape = kind === 'fruit' ? number % 4 : 0;
    const radius = this.radius * this.scale * SIZES[kind], size = Math.ceil(2.6 * radius + 4);
    return this.sprites.get(`${kind}${shape}${colour}`, size, size, (c) => {
      if (kind === 'fruit') fruit(c, size / 2, radius, colour, shape);
      else if (kind === 'banana') banana(c, size / 2, radius);
      else disc(c, size, radius, mix(colour, WHITE, 0.15), WHITE, 0.2);
    });
  }

  #burst(c, falling, f) {
    const r = this.radius * this.scale * (0.4 + 0.8 * f);
    c.globalAlpha = 0.7 * (1 - f) ** 2;
    ellipse(c, this.px(falling.x), this.floor, r * 1.2, r * 0.5, r * 0.16, rgb(mix(this.#colour(falling), WHITE, 0.4)));
  }

  /** Where the catcher is and how it moves: {x, hyper, dash, way}. */
  catcherAt(time) {
    const i = countUntil(this.times, time) - 1, from = this.stops[i], to = this.stops[i + 1];
    if (!from || !to) return { x: (from ?? to)?.x ?? 256, way: 1 };
    const gap = Math.max(1, to.time - from.time), distance = Math.abs(to.x - from.x);
    const f = clamp01((time - from.time) / (from.hyper ? gap : Math.max(1, Math.min(gap, distance / WALK))));
    return { x: from.x + (to.x - from.x) * f, hyper: from.hyper && f < 1, dash: distance / gap > WALK && f < 1, way: Math.sign(to.x - from.x) };
  }

  #catcher(c, time) {
    const now = this.catcherAt(time), trail = now.hyper ? 7 : now.dash ? 4 : 0, colour = now.hyper ? HYPER : CALM;
    const half = (this.width / 0.8 / 2) * this.scale, s = this.scale, y = this.floor, x = this.px(now.x);
    for (let back = trail; back >= 0; back--) {
      c.globalAlpha = back ? 0.2 * (1 - back / (trail + 1)) : 1;
      box(c, this.px(this.catcherAt(time - back * 14).x) - half, y, 2 * half, 7 * s, 3.5 * s, rgb(colour));
    }
    box(c, x - half + 4 * s, y + 1.4 * s, 2 * half - 8 * s, 1.4 * s, 0, '#fff');
    const body = rgb(mix(colour, [20, 30, 60], 0.35)); // a small figure carries the plate
    box(c, x - 10 * s, y + 24 * s, 20 * s, 30 * s, 9 * s, body);
    for (const side of [-1, 1]) stroke(c, [[x + 8 * side * s, y + 32 * s], [x + 20 * side * s, y + 9 * s]], 5 * s, body);
    dot(c, x, y + 20 * s, 9.5 * s, '#ffe3cf');
    for (const eye of [-3, 3]) dot(c, x + (eye + 2 * now.way) * s, y + 18.5 * s, 1.5 * s, '#223');
  }
}

/** A fruit of one of four kinds, by the mark on it. */
function fruit(c, m, r, colour, shape) {
  const mark = white(0.75), star = (n, turn, far) => Array.from({ length: n }, (_, i) => {
    const angle = turn + (i * 2 * Math.PI) / n;
    return [m + far * r * Math.cos(angle), m + far * r * Math.sin(angle)];
  });
  disc(c, 2 * m, r, colour, mix(colour, WHITE, 0.75), 0.1);
  if (shape === 0) ring(c, m, m, r * 0.42, r * 0.12, mark);
  else if (shape === 1) for (const [x, y] of star(3, -1.57, 0.4)) ring(c, x, y, r * 0.2, r * 0.12, mark);
  else if (shape === 2) for (const point of star(5, 0, 0.55)) stroke(c, [[m, m], point], r * 0.12, mark);
  else stroke(c, star(3, -1.57, 0.52).concat(star(1, -1.57, 0.52)), r * 0.12, mark);
  stroke(c, [[m, m - 0.95 * r], [m + 0.12 * r, m - 1.12 * r], [m + 0.4 * r, m - 1.2 * r]], r * 0.16, '#7ac74f');
}

function banana(c, m, r) {
  c.lineCap = 'round';
  for (const [width, style] of [[0.72, '#fff8d0'], [0.54, rgb(BANANA)]]) {
    c.lineWidth = r * width;
    c.strokeStyle = style;
    c.beginPath();
    c.arc(m, m - r * 0.5, r * 0.95, 0.5, 2.64);
    c.stroke();
  }
}
