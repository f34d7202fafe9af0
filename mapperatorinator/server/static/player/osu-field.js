// The playfield of osu!: circles, sliders, spinners, approach circles and a cursor that plays them all.

import {
  Visible, Sprites, clamp01, countUntil, disc, dot, easeOut, label, mix, rgb, ring, stamp, stroke, BLACK, WHITE, white,
} from './field.js';
import { circleScale, stack, stackOffset } from './stacking.js';

const MARGIN_X = 56, MARGIN_Y = 48; // px around the 512 x 384
const AFTER = 260; // ms for which a hit is seen to burst
const FOLLOW_GAP = 32, SPIN_RADIUS = 70, SPINS = 4; // px, px, turns per second
const RIM = 0.13, SHADES = 14; // of slider bodies
const LOOK_AHEAD = 1500; // ms before they appear in which bodies are drawn
const GOLD = [255, 212, 121];

export class OsuField {
  constructor(map) {
    this.map = map;
    this.sprites = new Sprites();
    this.update();
  }

  /** The map has grown. */
  update() {
    const { map } = this;
    stack(map);
    this.radius = 64 * circleScale(map.cs);
    this.preempt = map.preempt;
    this.fadeIn = 400 * Math.min(1, this.preempt / 450);
    this.visible = new Visible(map.objects);
    this.starts = map.objects.map((object) => object.time);
    this.hits = map.objects.map((object) => object.end).sort((a, b) => a - b);
    for (const object of map.objects) {
      object.shift = stackOffset(map.cs, object.stack);
      if (object.kind !== 'slider' || object.ticks) continue;
      object.ticks = [];
      map.sliderTicks(object, (time, progress, span) => object.ticks.push({ time, span, at: object.path.at(progress * object.length) }));
    }
  }

  combo(time) {
    return countUntil(this.hits, time);
  }

  resize(width, height) {
    const scale = Math.min(width / (512 + 2 * MARGIN_X), height / (384 + 2 * MARGIN_Y));
    if (scale !== this.scale) this.sprites.clear();
    Object.assign(this, { scale, r: this.radius * scale, left: (width - 512 * scale) / 2, top: (height - 384 * scale) / 2 });
  }

  /** Playfield px to device px; `shift` is that of a stack. */
  px(x, shift = 0) { return this.left + (x + shift) * this.scale; }

  py(y, shift = 0) { return this.top + (y + shift) * this.scale; }

  draw(c, time) {
    const [first, after] = this.visible.range(time - AFTER, time + this.preempt), { objects } = this.map;
    c.strokeStyle = white(0.07);
    c.lineWidth = 1;
    c.strokeRect(this.px(0), this.py(0), 512 * this.scale, 384 * this.scale);
    this.#followPoints(c, time, first, after);
    for (let i = after - 1; i >= first; i--) {
      const object = objects[i];
      if (object.end < time - AFTER) continue;
      if (object.kind === 'spinner') this.#spinner(c, object, time);
      else if (object.kind === 'slider') this.#slider(c, object, time);
      else this.#circle(c, object, time);
    }
    for (let i = after - 1; i >= first; i--) this.#approach(c, objects[i], time);
    this.#cursor(c, time);
    c.globalAlpha = 1;
    this.#prepare(time, after);
  }

  /** Draw one body that will be needed soon, so that no frame has to draw many. */
  #prepare(time, after) {
    const { objects } = this.map;
    for (let i = after; i < objects.length && objects[i].time < time + this.preempt + LOOK_AHEAD; i++) {
      if (objects[i].kind === 'slider' && !this.sprites.has(objects[i])) return this.#body(objects[i]);
    }
    return null;
  }

  #alpha(object, time) {
    return clamp01((time - object.time + this.preempt) / this.fadeIn);
  }

  #followPoints(c, time, first, after) {
    const { objects } = this.map;
    for (let i = Math.max(first, 1); i < after; i++) {
      const to = objects[i], from = objects[i - 1];
      if (to.number === 1 || to.kind === 'spinner' || from.kind === 'spinner' || time > to.time) continue;
      const [x, y] = from.endPosition ?? [from.x, from.y], dx = to.x - x, dy = to.y - y, length = Math.hypot(dx, dy);
      for (let d = FOLLOW_GAP * 1.5; d < length - FOLLOW_GAP; d += FOLLOW_GAP) {
        const f = d / length, passed = from.end + f * (to.time - from.end);
        const alpha = clamp01((time - passed + Math.min(this.preempt, 800)) / this.fadeIn) * (1 - clamp01((time - passed) / 160));
        if (alpha <= 0) continue;
        c.globalAlpha = alpha * 0.45;
        dot(c, this.px(x + f * dx, from.shift), this.py(y + f * dy, from.shift), 2.2 * this.scale, '#fff');
      }
    }
  }

  /** A circle or the head of a slider. */
  #circle(c, object, time) {
    const since = time - object.time, burst = easeOut(since / AFTER);
    if (since >= AFTER) return;
    const x = this.px(object.x, object.shift), y = this.py(object.y, object.shift), scale = 1 + 0.4 * burst;
    c.globalAlpha = since < 0 ? this.#alpha(object, time) : 1 - burst;
    stamp(c, this.#disc(this.map.colour(object)), x, y, scale);
    if (since < 60) stamp(c, this.#number(object.number), x, y, scale);
  }

  #disc(colour) {
    const size = Math.ceil(2 * this.r + 4);
    return this.sprites.get(`disc${colour}`, size, size, (c) => disc(c, size, this.r, colour));
  }

  #number(number) {
    const size = Math.ceil(2 * this.r);
    return this.sprites.get(number, size, size, (c) => label(c, number, size / 2, size / 2 + this.r * 0.05, this.r * (number > 99 ? 0.62 : 0.82)));
  }

  #approach(c, object, time) {
    if (object.kind === 'spinner' || time >= object.time) return;
    c.globalAlpha = 0.9 * clamp01((time - object.time + this.preempt) / Math.min(2 * this.fadeIn, this.preempt));
    const r = this.r * (1 + 3 * clamp01((object.time - time) / this.preempt));
    ring(c, this.px(object.x, object.shift), this.py(object.y, object.shift), r, Math.max(1.5, this.r * 0.075), rgb(mix(this.map.colour(object), WHITE, 0.25)));
  }

  #slider(c, object, time) {
    const fade = time > object.end ? 1 - clamp01((time - object.end) / (AFTER - 20)) : this.#alpha(object, time);
    if (fade <= 0) return;
    const body = this.#body(object), { minX, minY } = object.box;
    c.globalAlpha = fade * 0.92;
    c.drawImage(body, Math.round(this.px(minX, object.shift)), Math.round(this.py(minY, object.shift)));
    c.globalAlpha = fade;
    const lap = Math.max(0, Math.floor((time - object.time) / object.span));
    for (const tick of object.ticks) {
      if (tick.span === lap && tick.time >= time) dot(c, this.px(tick.at[0], object.shift), this.py(tick.at[1], object.shift), this.r * 0.13, '#fff');
    }
    this.#arrows(c, object, time, fade);
    if (time >= object.time && time <= object.end + 120) this.#ball(c, object, time);
    this.#circle(c, object, time);
  }

  /** The drawn body of a slider; `object.box` says where it lies. */
  #body(object) {
    const points = (object.drawn ??= object.path.drawn(Math.min(object.length, 1e5)));
    const { minX, minY, maxX, maxY } = (object.box ??= boxOf(points, this.radius + 2));
    return this.sprites.get(object, (maxX - minX) * this.scale, (maxY - minY) * this.scale, (c) => {
      c.scale(this.scale, this.scale);
      c.translate(-minX, -minY);
      const line = points.length > 1 ? points : [points[0], points[0]], colour = this.map.colour(object);
      const dark = mix(colour, BLACK, 0.74), bright = mix(colour, BLACK, 0.4);
      stroke(c, line, 2 * this.radius, rgb(mix(WHITE, colour, 0.12)));
      for (let i = 0; i < SHADES; i++) {
        stroke(c, line, 2 * this.radius * (1 - RIM) * (1 - i / SHADES), rgb(mix(dark, bright, i / (SHADES - 1))));
      }
    });
  }

  /** Arrows at the ends of the path at which the ball still turns round. */
  #arrows(c, object, time, fade) {
    const done = Math.floor((time - object.time) / object.span), { length, shift, path } = object;
    for (const edge of [1, 2]) {
      const next = edge + 2 * Math.max(0, Math.ceil((done + 1 - edge) / 2)); // the next turn at this end
      if (next >= object.slides || (edge === 2 && time < object.time)) continue;
      const [x, y] = path.at(edge === 1 ? length : 0), [ax, ay] = path.at(edge === 1 ? Math.max(0, length - 4) : Math.min(4, length));
      c.save();
      c.globalAlpha = fade;
      c.translate(this.px(x, shift), this.py(y, shift));
      c.rotate(Math.atan2(ay - y, ax - x));
      const r = this.r * 0.42 * (1.12 - 0.12 * this.map.timing.phase(time));
      stroke(c, [[-0.35 * r, -0.8 * r], [0.5 * r, 0], [-0.35 * r, 0.8 * r]], r * 0.42, '#fff');
      c.restore();
    }
  }

  #ball(c, object, time) {
    const [bx, by] = object.at((Math.min(time, object.end) - object.time) / object.span);
    const x = this.px(bx, object.shift), y = this.py(by, object.shift), out = clamp01((time - object.end) / 120);
    c.globalAlpha = 0.75 * (1 - out);
    ring(c, x, y, this.r * (1 + easeOut((time - object.time) / 120)) * (1 - 0.15 * out), this.r * 0.1, rgb(GOLD));
    c.globalAlpha = 0.1 * (1 - out);
    c.fillStyle = rgb(GOLD);
    c.fill();
    c.globalAlpha = 1 - out;
    stamp(c, this.#disc(mix(this.map.colour(object), WHITE, 0.15)), x, y, 0.96);
  }

  #spinner(c, object, time) {
    const fade = clamp01((time - object.time + 400) / 400) * (1 - clamp01((time - object.end) / AFTER));
    if (fade <= 0) return;
    const full = 170 * this.scale, left = 1 - clamp01((time - object.time) / Math.max(1, object.end - object.time));
    c.save();
    c.translate(this.px(256), this.py(192));
    c.globalAlpha = fade * 0.9;
    stamp(c, this.sprites.glow([100, 170, 255], full, 0.4), 0, 0);
    ring(c, 0, 0, full * (0.12 + 0.88 * left), 3 * this.scale, 'rgba(190,225,255,.9)');
    c.rotate(angleOf(object, time));
    c.strokeStyle = white(0.55);
    for (let i = 0; i < 6; i++) {
      c.rotate(Math.PI / 3);
      c.beginPath();
      c.arc(0, 0, full * 0.62, -0.3, 0.3);
      c.stroke();
    }
    c.restore();
  }

  /** Where the perfect player's cursor is. */
  cursorAt(time) {
    const i = countUntil(this.starts, time) - 1, now = this.map.objects[i], next = this.map.objects[i + 1];
    if (now && (time < now.end || !next)) return placeOf(now, time);
    if (!now) return placeOf(next, time);
    const begin = Math.max(now.end, next.time - 900), f = clamp01((time - begin) / Math.max(1, next.time - begin));
    return mix(placeOf(now, now.end), placeOf(next, next.time), f < 0.5 ? 2 * f * f : 1 - 2 * (1 - f) ** 2);
  }

  #cursor(c, time) {
    if (!this.starts.length) return;
    const r = 11 * this.scale, glow = this.sprites.glow([255, 200, 90], 2.2 * r);
    for (let back = 8; back >= 0; back--) {
      const [x, y] = this.cursorAt(time - back * 9);
      c.globalAlpha = back ? 0.3 * (1 - back / 9) : 1;
      stamp(c, glow, this.px(x), this.py(y), back ? 0.8 - back * 0.05 : 1);
      if (!back) dot(c, this.px(x), this.py(y), r * 0.72, '#fffbe8');
    }
  }
}

function boxOf(points, reach) {
  const span = (axis) => points.reduce(([low, high], p) => [Math.min(low, p[axis]), Math.max(high, p[axis])], [Infinity, -Infinity])
    .map((value) => Math.min(Math.max(value, -1000), 1500)); // some maps have monstrous sliders
  const [x, y] = [span(0), span(1)];
  return { minX: x[0] - reach, maxX: x[1] + reach, minY: y[0] - reach, maxY: y[1] + reach };
}

const angleOf = (spinner, time) => (Math.max(0, time - spinner.time) / 1000) * 2 * Math.PI * SPINS;

function placeOf(object, time) {
  if (object.kind === 'slider') return object.at((time - object.time) / object.span).map((v) => v + object.shift);
  if (object.kind !== 'spinner') return [object.x + object.shift, object.y + object.shift];
  const angle = angleOf(object, Math.min(time, object.end));
  return [256 + SPIN_RADIUS * Math.cos(angle), 192 + SPIN_RADIUS * Math.sin(angle)];
}
