// What the four playfields share: finding visible objects, colours, sprites and easing.

/** Objects in order of time, found by the stretch of time in which they can be seen. */
export class Visible {
  /** `objects` have `time` and optionally `end`. */
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

export const clamp01 = (x) => Math.min(Math.max(x, 0), 1);
export const easeOut = (x) => 1 - (1 - clamp01(x)) ** 2;
export const rgb = ([r, g, b], alpha = 1) => `rgba(${r | 0},${g | 0},${b | 0},${alpha})`;
export const mix = (a, b, f) => a.map((value, i) => value + (b[i] - value) * f);
export const WHITE = [255, 255, 255], BLACK = [0, 0, 0];

/** Drawings that are made once per key; forgets everything when it holds too many pixels. */
export class Sprites {
  #kept = new Map();
  #pixels = 0;

  constructor(budget = 24e6) {
    this.budget = budget;
  }

  /** The canvas of `key`, `width` x `height` device pixels, drawn by `draw(context)` if it is new. */
  get(key, width, height, draw) {
    let canvas = this.#kept.get(key);
    if (canvas) {
      this.#kept.delete(key); // the order of the map is the order of use
    } else {
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

  has(key) {
    return this.#kept.has(key);
  }

  clear() {
    this.#kept.clear();
    this.#pixels = 0;
  }
}

/** A disc with a bright rim and a soft gradient, centred in `size`. */
export function disc(context, size, radius, colour, rim = WHITE, rimWidth = 0.14) {
  const c = size / 2, inner = radius * (1 - rimWidth);
  const gradient = context.createRadialGradient(c, c - radius * 0.5, radius * 0.1, c, c, radius);
  gradient.addColorStop(0, rgb(mix(colour, WHITE, 0.32)));
  gradient.addColorStop(1, rgb(mix(colour, BLACK, 0.28)));
  context.beginPath();
  context.arc(c, c, radius, 0, 2 * Math.PI);
  context.fillStyle = rgb(rim);
  context.fill();
  context.beginPath();
  context.arc(c, c, inner, 0, 2 * Math.PI);
  context.fillStyle = gradient;
  context.fill();
}

/** Draws `sprite` centred at (x, y), `scale` times its size. */
export function stamp(context, sprite, x, y, scale = 1) {
  const w = sprite.width * scale, h = sprite.height * scale;
  context.drawImage(sprite, x - w / 2, y - h / 2, w, h);
}

/** How many of the sorted `times` are at or before `time`. */
export const countUntil = (times, time) => bound(times.length, (i) => times[i] > time);
