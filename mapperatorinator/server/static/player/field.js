// What the four playfields share: finding visible objects, colours, shapes and drawings that are made once.

import { MAX_PARTS } from './beatmap.js';
import { beatOf } from './timing.js';

/** Objects in order of time, found by the stretch of time in which they can be seen. */
export class Visible {
  /** `objects` have `time` and perhaps `end`. */
  constructor(objects) {
    this.objects = objects;
    this.reach = new Float64Array(objects.length); // the latest end so far, so that it only rises
    let latest = -Infinity;
    objects.forEach(({ time, end = time }, i) => { this.reach[i] = latest = Math.max(latest, end); });
  }

  /** Index range [first, after) of what starts before `to` and may end after `from`. */
  range(from, to) {
    return [bound(this.reach.length, (i) => this.reach[i] >= from), bound(this.objects.length, (i) => this.objects[i].time > to)];
  }
}

/** The first index in 0..count for which the monotonous `test` holds. */
export function bound(count, test) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) high = middle; else low = middle + 1;
  }
  return low;
}

/** How many of the sorted `times` are at or before `time`. */
export const countUntil = (times, time) => bound(times.length, (i) => times[i] > time);

/** Measure lines up to `end`: calls visit(time). */
export function eachBar(timing, end, visit) {
  timing.reds.forEach((red, i) => {
    const step = Math.max(50, beatOf(red) * red.meter), stop = Math.min(timing.reds[i + 1]?.time - 1 || end, end);
    for (let n = red.omitBar ? 1 : 0; n < MAX_PARTS && red.time + n * step <= stop; n++) visit(red.time + n * step);
  });
}

export const clamp01 = (x) => Math.min(Math.max(x, 0), 1);
export const easeOut = (x) => 1 - (1 - clamp01(x)) ** 2;
export const rgb = ([r, g, b], alpha = 1) => `rgba(${r | 0},${g | 0},${b | 0},${alpha})`;
export const mix = (a, b, f) => a.map((value, i) => value + (b[i] - value) * f);
export const white = (alpha) => `rgba(255,255,255,${alpha})`;
export const WHITE = [255, 255, 255], BLACK = [0, 0, 0];

/** Drawings that are made once per key; those used longest ago go when they hold too many pixels. */
export class Sprites {
  #kept = new Map(); // in order of use
  #pixels = 0;

  constructor(budget = 24e6) {
    this.budget = budget;
  }

  /** The canvas of `key`, `width` x `height` device pixels, drawn by `draw(context)` if it is new. */
  get(key, width, height, draw) {
    let canvas = this.#kept.get(key);
    if (canvas) this.#kept.delete(key);
    else {
      canvas = new OffscreenCanvas(Math.max(1, Math.ceil(width)), Math.max(1, Math.ceil(height)));
      draw(canvas.getContext('2d'));
      this.#pixels += canvas.width * canvas.height;
    }
    this.#kept.set(key, canvas);
    for (const [oldest, old] of this.#kept) {
      if (this.#pixels <= this.budget || oldest === key) break;
      this.#pixels -= old.width * old.height;
      this.#kept.delete(oldest);
    }
    return canvas;
  }

  /** A round glow of `colour` that fades out at `radius`. */
  glow(colour, radius, level = 1) {
    return this.get(`glow${colour}${level}`, 2 * radius, 2 * radius, (c) => {
      const gradient = c.createRadialGradient(radius, radius, 0, radius, radius, radius);
      gradient.addColorStop(0, rgb(colour, level));
      gradient.addColorStop(1, rgb(colour, 0));
      c.fillStyle = gradient;
      c.fillRect(0, 0, 2 * radius, 2 * radius);
    });
  }

  has(key) {
    return this.#kept.has(key);
  }

  clear() {
    this.#kept.clear();
    this.#pixels = 0;
  }
}

/** Draws `sprite` centred at (x, y), `scale` times its size. */
export function stamp(c, sprite, x, y, scale = 1) {
  const w = sprite.width * scale, h = sprite.height * scale;
  c.drawImage(sprite, x - w / 2, y - h / 2, w, h);
}

export function circle(c, x, y, r) {
  c.beginPath();
  c.arc(x, y, r, 0, 7);
}

export function dot(c, x, y, r, style) {
  c.fillStyle = style;
  circle(c, x, y, r);
  c.fill();
}

export function ring(c, x, y, r, width, style) {
  c.lineWidth = width;
  c.strokeStyle = style;
  circle(c, x, y, r);
  c.stroke();
}

/** A line through `points` [x, y] with round ends and corners. */
export function stroke(c, points, width, style) {
  c.lineCap = c.lineJoin = 'round';
  c.lineWidth = width;
  c.strokeStyle = style;
  c.beginPath();
  for (const [x, y] of points) c.lineTo(x, y);
  c.stroke();
}

/** A flat ring that is seen from above. */
export function ellipse(c, x, y, rx, ry, width, style) {
  c.lineWidth = width;
  c.strokeStyle = style;
  c.beginPath();
  c.ellipse(x, y, rx, ry, 0, 0, 7);
  c.stroke();
}

export function box(c, x, y, w, h, r, style) {
  c.fillStyle = style;
  c.beginPath();
  c.roundRect(x, y, w, h, r);
  c.fill();
}

/** White text, centred unless `align` says otherwise, with a dark edge. */
export function label(c, text, x, y, size, align = 'center') {
  c.font = `700 ${size}px "Segoe UI", system-ui, sans-serif`;
  c.textAlign = align;
  c.textBaseline = 'middle';
  c.lineJoin = 'round';
  c.lineWidth = size * 0.14;
  c.strokeStyle = 'rgba(0,0,0,.45)';
  c.strokeText(text, x, y);
  c.fillStyle = '#fff';
  c.fillText(text, x, y);
}

/** A disc with a bright rim and a soft gradient, in the middle of `size`. */
export function disc(c, size, radius, colour, rim = WHITE, rimWidth = 0.14) {
  const m = size / 2, gradient = c.createRadialGradient(m, m - radius * 0.5, radius * 0.1, m, m, radius);
  gradient.addColorStop(0, rgb(mix(colour, WHITE, 0.32)));
  gradient.addColorStop(1, rgb(mix(colour, BLACK, 0.28)));
  dot(c, m, m, radius, rgb(rim));
  dot(c, m, m, radius * (1 - rimWidth), gradient);
}
