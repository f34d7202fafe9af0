// The playfield of osu!: circles, sliders, spinners, approach circles and a cursor that plays them all.

import { Visible, Sprites, clamp01, countUntil, disc, easeOut, mix, rgb, stamp, BLACK, WHITE } from './field.js';
import { circleScale, stack, stackOffset } from './stacking.js';

const MARGIN_X = 56, MARGIN_TOP = 52, MARGIN_BOTTOM = 52; // px around the 512 x 384
const AFTER = 260; // ms for which a hit is seen to burst
const FOLLOW_GAP = 32, SPIN_RADIUS = 70;
const SLIDER_RIM = 0.13;

export class OsuField {
  aspect = (512 + 2 * MARGIN_X) / (384 + MARGIN_TOP + MARGIN_BOTTOM);

  constructor(map) {
    this.map = map;
    this.sprites = new Sprites();
    this.update();
  }

  /** The map has grown. */
  update() {
    stack(this.map);
    this.radius = 64 * circleScale(this.map.cs);
    this.preempt = this.map.preempt;
    this.fadeIn = 400 * Math.min(1, this.preempt / 450);
    this.visible = new Visible(this.map.objects);
    for (const object of this.map.objects) {
      object.shift = stackOffset(this.map.cs, object.stack);
      if (object.kind === 'slider' && !object.ticks) {
        object.ticks = [];
        this.map.sliderTicks(object, (time, progress, span) => object.ticks.push({ time, span, at: object.path.at(progress * object.length) }));
      }
    }
    this.hits = this.map.objects.map((object) => object.end).sort((a, b) => a - b);
  }

  combo(time) {
    return countUntil(this.hits, time);
  }

  resize(width, height) {
    const scale = Math.min(width / (512 + 2 * MARGIN_X), height / (384 + MARGIN_TOP + MARGIN_BOTTOM));
    if (scale !== this.scale) this.sprites.clear();
    this.scale = scale;
    this.left = (width - 512 * scale) / 2;
    this.top = (height - 384 * scale) / 2;
  }

  /** Playfield px to device px. */
  px(x) { return this.left + x * this.scale; }
  py(y) { return this.top + y * this.scale; }

  draw(context, time) {
    const [first, after] = this.visible.range(time - AFTER, time + this.preempt);
    const { objects } = this.map;
    this.#border(context);
    this.#followPoints(context, time, first, after);
    for (let i = after - 1; i >= first; i--) {
      const object = objects[i];
      if (object.end < time - AFTER) continue;
      if (object.kind === 'spinner') this.#spinner(context, object, time);
      else if (object.kind === 'slider') this.#slider(context, object, time);
      else this.#circle(context, object, time, object.time);
    }
    for (let i = after - 1; i >= first; i--) this.#approach(context, objects[i], time);
    this.#cursor(context, time);
    context.globalAlpha = 1;
    this.#prepare(time, after);
  }

  /** Draw one body that will be needed soon, so that no frame has to draw many. */
  #prepare(time, after) {
    const { objects } = this.map;
    for (let i = after; i < objects.length && objects[i].time < time + this.preempt + 1500; i++) {
      if (objects[i].kind === 'slider' && !this.sprites.has(objects[i])) { this.#body(objects[i]); return; }
    }
  }

  #border(context) {
    context.strokeStyle = 'rgba(255,255,255,.07)';
    context.lineWidth = 1;
    context.strokeRect(this.px(0), this.py(0), 512 * this.scale, 384 * this.scale);
  }

  #alpha(object, time) {
    return clamp01((time - object.time + this.preempt) / this.fadeIn);
  }

  #followPoints(context, time, first, after) {
    const { objects } = this.map;
    context.fillStyle = '#fff';
    for (let i = Math.max(first, 1); i < after; i++) {
      const to = objects[i], from = objects[i - 1];
      if (to.number === 1 || to.kind === 'spinner' || from.kind === 'spinner' || time > to.time) continue;
      const [x0, y0] = from.kind === 'slider' ? from.endPosition : [from.x, from.y];
      const dx = to.x - x0, dy = to.y - y0, length = Math.hypot(dx, dy), gap = to.time - from.end;
      for (let d = FOLLOW_GAP * 1.5; d < length - FOLLOW_GAP; d += FOLLOW_GAP) {
        const f = d / length, in_ = from.end + f * gap - Math.min(this.preempt, 800), out = from.end + f * gap;
        const alpha = clamp01((time - in_) / this.fadeIn) * (1 - clamp01((time - out) / 160));
        if (alpha <= 0) continue;
        context.globalAlpha = alpha * 0.45;
        context.beginPath();
        context.arc(this.px(x0 + f * dx + from.shift), this.py(y0 + f * dy + from.shift), 2.2 * this.scale, 0, 7);
        context.fill();
      }
    }
  }

  /** A circle or slider head that is hit at `at`. */
  #circle(context, object, time, at) {
    const since = time - at;
    if (since >= AFTER) return;
    const alpha = since < 0 ? this.#alpha(object, time) : 1 - easeOut(since / AFTER);
    const scale = since < 0 ? 1 : 1 + 0.4 * easeOut(since / AFTER);
    const x = this.px(object.x + object.shift), y = this.py(object.y + object.shift);
    context.globalAlpha = alpha;
    stamp(context, this.#disc(this.map.colour(object)), x, y, scale);
    if (since < 60) stamp(context, this.#number(object.number), x, y, scale);
  }

  #disc(colour) {
    const radius = this.radius * this.scale, size = Math.ceil(2 * radius + 4);
    return this.sprites.get(`disc${colour}`, size, size, (c) => disc(c, size, radius, colour));
  }

  #number(number) {
    const radius = this.radius * this.scale, size = Math.ceil(2 * radius);
    return this.sprites.get(`number${number}`, size, size, (c) => {
      c.font = `700 ${radius * (number > 99 ? 0.62 : 0.82)}px "Segoe UI", system-ui, sans-serif`;
      c.textAlign = 'center';
      c.textBaseline = 'middle';
      c.fillStyle = '#fff';
      c.shadowColor = 'rgba(0,0,0,.45)';
      c.shadowBlur = radius * 0.12;
      c.fillText(number, size / 2, size / 2 + radius * 0.05);
    });
  }

  #approach(context, object, time) {
    if (object.kind === 'spinner' || time >= object.time) return;
    const progress = clamp01((object.time - time) / this.preempt);
    context.globalAlpha = 0.9 * clamp01((time - object.time + this.preempt) / Math.min(2 * this.fadeIn, this.preempt));
    context.strokeStyle = rgb(mix(this.map.colour(object), WHITE, 0.25));
    context.lineWidth = Math.max(1.5, this.radius * this.scale * 0.075);
    context.beginPath();
    context.arc(this.px(object.x + object.shift), this.py(object.y + object.shift), this.radius * this.scale * (1 + 3 * progress), 0, 7);
    context.stroke();
  }

  #slider(context, object, time) {
    const fade = time > object.end ? 1 - clamp01((time - object.end) / (AFTER - 20)) : this.#alpha(object, time);
    if (fade <= 0) return;
    const body = this.#body(object);
    context.globalAlpha = fade * 0.92;
    const x = this.px(object.shift) + body.minX * this.scale, y = this.py(object.shift) + body.minY * this.scale;
    context.drawImage(body.canvas, Math.round(x), Math.round(y));
    context.globalAlpha = fade;
    this.#ticks(context, object, time);
    this.#arrows(context, object, time, fade);
    if (time >= object.time && time <= object.end + 120) this.#ball(context, object, time);
    this.#circle(context, object, time, object.time);
  }

  /** The drawn body of a slider: {canvas, minX, minY}, kept for as long as there is room. */
  #body(object) {
    const reach = this.radius + 2;
    const points = (object.drawn ??= object.path.drawn(Math.min(object.length, 1e5)));
    if (!object.box) {
      const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
      const limit = (value) => Math.min(Math.max(value, -1000), 1500); // some maps have monstrous sliders
      const low = (list) => limit(list.reduce((a, b) => Math.min(a, b))), high = (list) => limit(list.reduce((a, b) => Math.max(a, b)));
      object.box = { minX: low(xs) - reach, minY: low(ys) - reach, maxX: high(xs) + reach, maxY: high(ys) + reach };
    }
    const { minX, minY, maxX, maxY } = object.box;
    const canvas = this.sprites.get(object, (maxX - minX) * this.scale, (maxY - minY) * this.scale, (c) => {
      c.scale(this.scale, this.scale);
      c.translate(-minX, -minY);
      c.lineCap = c.lineJoin = 'round';
      const path = new Path2D();
      points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
      if (points.length === 1) path.lineTo(points[0][0] + 0.01, points[0][1]);
      const stroke = (width, style) => { c.lineWidth = 2 * width; c.strokeStyle = style; c.stroke(path); };
      const colour = this.map.colour(object), inner = this.radius * (1 - SLIDER_RIM), steps = 7;
      stroke(this.radius, rgb(mix(WHITE, colour, 0.12)));
      for (let i = 0; i < steps; i++) {
        stroke(inner * (1 - i / steps), rgb(mix(mix(colour, BLACK, 0.74), mix(colour, BLACK, 0.4), i / (steps - 1))));
      }
    });
    return { canvas, minX, minY };
  }

  #ticks(context, object, time) {
    context.fillStyle = '#fff';
    const current = Math.max(0, Math.floor((time - object.time) / object.span));
    for (const tick of object.ticks) {
      if (tick.span !== current || tick.time < time) continue;
      context.beginPath();
      context.arc(this.px(tick.at[0] + object.shift), this.py(tick.at[1] + object.shift), this.radius * this.scale * 0.14, 0, 7);
      context.fill();
    }
  }

  /** Arrows at the edges at which the ball still turns round. */
  #arrows(context, object, time, fade) {
    const done = Math.floor((time - object.time) / object.span);
    for (const edge of [1, 2]) {
      let next = edge; // the next turn at this end of the path
      while (next <= done) next += 2;
      if (next >= object.slides || (edge === 2 && time < object.time)) continue;
      const at = edge % 2 ? object.length : 0, towards = edge % 2 ? object.length - 4 : 4;
      const [x, y] = object.path.at(at), [ax, ay] = object.path.at(Math.max(0, Math.min(towards, object.length)));
      const beat = this.map.timing.red(time), pulse = 1 + 0.12 * (1 - (((time - beat.time) / beat.beatLength) % 1 + 1) % 1);
      context.save();
      context.globalAlpha = fade;
      context.translate(this.px(x + object.shift), this.py(y + object.shift));
      context.rotate(Math.atan2(ay - y, ax - x));
      context.scale(pulse, pulse);
      const r = this.radius * this.scale * 0.42;
      context.strokeStyle = '#fff';
      context.lineWidth = r * 0.42;
      context.lineCap = context.lineJoin = 'round';
      context.beginPath();
      context.moveTo(-r * 0.35, -r * 0.8);
      context.lineTo(r * 0.5, 0);
      context.lineTo(-r * 0.35, r * 0.8);
      context.stroke();
      context.restore();
    }
  }

  #ball(context, object, time) {
    const [bx, by] = object.at((Math.min(time, object.end) - object.time) / object.span);
    const x = this.px(bx + object.shift), y = this.py(by + object.shift), r = this.radius * this.scale;
    const out = clamp01((time - object.end) / 120), grow = easeOut((time - object.time) / 120);
    context.globalAlpha = 0.75 * (1 - out);
    context.strokeStyle = '#ffd479';
    context.lineWidth = r * 0.1;
    context.beginPath();
    context.arc(x, y, r * (1 + grow) * (1 - 0.15 * out), 0, 7);
    context.stroke();
    context.globalAlpha = 0.1 * (1 - out);
    context.fillStyle = '#ffd479';
    context.fill();
    context.globalAlpha = 1 - out;
    stamp(context, this.#disc(mix(this.map.colour(object), WHITE, 0.15)), x, y, 0.96);
  }

  #spinner(context, object, time) {
    const fade = clamp01((time - object.time + 400) / 400) * (1 - clamp01((time - object.end) / AFTER));
    if (fade <= 0) return;
    const x = this.px(256), y = this.py(192), full = 170 * this.scale;
    const left = 1 - clamp01((time - object.time) / Math.max(1, object.end - object.time));
    const angle = (Math.max(0, time - object.time) / 1000) * 2 * Math.PI * 4;
    context.save();
    context.translate(x, y);
    context.globalAlpha = fade * 0.9;
    const glow = context.createRadialGradient(0, 0, 0, 0, 0, full);
    glow.addColorStop(0, 'rgba(120,190,255,.35)');
    glow.addColorStop(1, 'rgba(60,110,220,.06)');
    context.fillStyle = glow;
    context.beginPath();
    context.arc(0, 0, full, 0, 7);
    context.fill();
    context.lineWidth = 3 * this.scale;
    context.strokeStyle = 'rgba(190,225,255,.9)';
    context.beginPath();
    context.arc(0, 0, full * (0.12 + 0.88 * left), 0, 7);
    context.stroke();
    context.rotate(angle);
    context.strokeStyle = 'rgba(255,255,255,.55)';
    for (let i = 0; i < 6; i++) {
      context.rotate(Math.PI / 3);
      context.beginPath();
      context.arc(0, 0, full * 0.62, -0.3, 0.3);
      context.stroke();
    }
    context.restore();
  }

  /** Where the perfect player's cursor is. */
  cursorAt(time) {
    const { objects } = this.map;
    const i = countUntil(this.starts ?? [], time) - 1, now = objects[i], next = objects[i + 1];
    const start = (object) => (object.kind === 'spinner' ? [256 + SPIN_RADIUS, 192] : [object.x + object.shift, object.y + object.shift]);
    if (!now) return next ? start(next) : [256, 192];
    if (time < now.end) {
      if (now.kind === 'slider') return now.at((time - now.time) / now.span).map((v) => v + now.shift);
      return spin(now, time);
    }
    const from = now.kind === 'slider' ? now.endPosition.map((v) => v + now.shift) : now.kind === 'spinner' ? spin(now, now.end) : start(now);
    if (!next) return from;
    const begin = Math.max(now.end, next.time - 900), f = clamp01((time - begin) / Math.max(1, next.time - begin));
    const eased = f < 0.5 ? 2 * f * f : 1 - 2 * (1 - f) ** 2, to = start(next);
    return [from[0] + (to[0] - from[0]) * eased, from[1] + (to[1] - from[1]) * eased];
  }

  #cursor(context, time) {
    if (this.starts?.length !== this.map.objects.length) this.starts = this.map.objects.map((object) => object.time);
    if (!this.starts.length) return;
    const r = 11 * this.scale, size = Math.ceil(4 * r);
    const sprite = this.sprites.get('cursor', size, size, (c) => {
      const glow = c.createRadialGradient(size / 2, size / 2, 0, size / 2, size / 2, size / 2);
      glow.addColorStop(0, 'rgba(255,255,255,1)');
      glow.addColorStop(0.36, 'rgba(255,240,190,.95)');
      glow.addColorStop(0.46, 'rgba(255,200,90,.35)');
      glow.addColorStop(1, 'rgba(255,180,60,0)');
      c.fillStyle = glow;
      c.fillRect(0, 0, size, size);
    });
    for (let back = 8; back >= 0; back--) {
      const [x, y] = this.cursorAt(time - back * 9);
      context.globalAlpha = back ? 0.28 * (1 - back / 9) : 1;
      stamp(context, sprite, this.px(x), this.py(y), back ? 0.75 - back * 0.04 : 1);
    }
  }
}

function spin(object, time) {
  const angle = (Math.max(0, time - object.time) / 1000) * 2 * Math.PI * 4;
  return [256 + SPIN_RADIUS * Math.cos(angle), 192 + SPIN_RADIUS * Math.sin(angle)];
}
