// The playfield of mania: notes and holds fall in 1 to 18 columns, at the speed that the map asks for.

import { bound, clamp01, countUntil, easeOut, rgb } from './field.js';
import { lastAt, beatOf } from './timing.js';

const RANGE = 620; // ms from the top to the line at a scroll speed of 1
const LINE = 0.86, AFTER = 220;
const TONES = { light: [236, 240, 255], main: [94, 170, 255], middle: [255, 204, 72] };

export class ManiaField {
  aspect = 1.2;

  constructor(map) {
    this.map = map;
    this.scrollTime = RANGE;
    this.update();
  }

  update() {
    const { map } = this;
    this.keys = map.keys;
    this.#layScroll();
    this.lanes = Array.from({ length: this.keys }, () => []);
    for (const object of map.objects) {
      this.lanes[object.column ?? 0].push({ time: object.time, end: object.end, from: this.place(object.time), to: this.place(object.end) });
    }
    this.lanes.forEach((lane) => {
      let latest = -Infinity;
      for (const note of lane) note.reach = latest = Math.max(latest, note.end);
    });
    this.bars = [];
    map.timing.reds.forEach((red, i) => {
      const step = beatOf(red) * red.meter, stop = Math.min(map.timing.reds[i + 1]?.time - 1 || map.end, map.end);
      for (let time = red.time, n = 0; time <= stop && n < 5000; time += step, n++) this.bars.push(this.place(time));
    });
    this.hits = map.objects.map(({ time }) => time);
  }

  /** Stretches of equal scroll speed: {time, place, speed}; place is the road travelled, in ms at speed 1. */
  #layScroll() {
    const { timing, end } = this.map, main = timing.mainBeat(end);
    this.road = [{ time: 0, place: 0, speed: (main / beatOf(timing.red(0))) * timing.scroll(0) }];
    for (const { time } of timing.all) {
      const last = this.road[this.road.length - 1], speed = (main / beatOf(timing.red(time))) * timing.scroll(time);
      if (time <= last.time) last.speed = time < last.time ? last.speed : speed;
      else if (speed !== last.speed) this.road.push({ time, place: last.place + (time - last.time) * last.speed, speed });
    }
  }

  place(time) {
    const part = this.road[Math.max(0, lastAt(this.road, time, (p) => p.time))];
    return part.place + (time - part.time) * part.speed;
  }

  combo(time) {
    return countUntil(this.hits, time);
  }

  resize(width, height) {
    const wide = Math.min(width * 0.96, Math.max(height * 0.62, 56 * this.keys), height * 0.15 * this.keys);
    Object.assign(this, { height, column: wide / this.keys, left: (width - wide) / 2, wide, line: height * LINE });
    this.thick = Math.min(this.column * 0.36, height * 0.036);
  }

  #tone(column) {
    const { keys } = this;
    if (keys % 2 && column === (keys - 1) / 2) return TONES.middle;
    const mirrored = Math.min(column, keys - 1 - column);
    return mirrored % 2 ? TONES.main : TONES.light;
  }

  draw(context, time) {
    const { left, wide, height, line } = this, here = this.place(time);
    const y = (place) => line - ((place - here) / this.scrollTime) * line;
    context.fillStyle = 'rgba(6,7,12,.88)';
    context.fillRect(left, 0, wide, height);
    context.save();
    context.beginPath();
    context.rect(left, 0, wide, height);
    context.clip();
    context.fillStyle = 'rgba(255,255,255,.14)';
    for (let i = bound(this.bars.length, (n) => this.bars[n] >= here - this.scrollTime * 0.2); i < this.bars.length && y(this.bars[i]) > 0; i++) {
      context.fillRect(left, y(this.bars[i]) - 1, wide, 1);
    }
    for (let column = 0; column < this.keys; column++) this.#column(context, column, time, y);
    context.restore();
    context.fillStyle = 'rgba(255,255,255,.22)';
    context.fillRect(left - 2, 0, 2, height);
    context.fillRect(left + wide, 0, 2, height);
  }

  #column(context, column, time, y) {
    const lane = this.lanes[column], x = left(this, column), w = this.column, tone = this.#tone(column), { line, thick } = this;
    const last = bound(lane.length, (i) => lane[i].time > time) - 1;
    const held = lane[last] && time <= lane[last].end && lane[last].end > lane[last].time;
    const press = held ? 1 : lane[last] ? 1 - clamp01((time - lane[last].end) / 140) : 0;
    context.fillStyle = column % 2 ? 'rgba(255,255,255,.025)' : 'rgba(255,255,255,.055)';
    context.fillRect(x, 0, w, this.height);
    if (press > 0) {
      const beam = context.createLinearGradient(0, line * 0.35, 0, line);
      beam.addColorStop(0, rgb(tone, 0));
      beam.addColorStop(1, rgb(tone, 0.4 * press));
      context.fillStyle = beam;
      context.fillRect(x, line * 0.35, w, line * 0.65);
    }
    for (let i = bound(lane.length, (n) => lane[n].reach > time); i < lane.length; i++) {
      const note = lane[i];
      if (y(note.from) < -thick) break;
      if (note.end <= time) continue;
      this.#note(context, x, w, note, tone, time, y);
    }
    this.#key(context, x, w, tone, press);
    if (last >= 0) this.#burst(context, x + w / 2, tone, held ? (time - lane[last].time) % 160 : time - lane[last].time);
  }

  #note(context, x, w, note, tone, time, y) {
    const { thick } = this, gap = Math.max(1, w * 0.05), bottom = note.time <= time ? this.line : y(note.from), top = y(note.to);
    if (note.end > note.time) {
      const shown = Math.max(top, -thick);
      context.fillStyle = rgb(tone, note.time <= time ? 0.75 : 0.5);
      context.fillRect(x + w * 0.14, shown, w * 0.72, Math.max(0, bottom - shown - thick / 2));
      context.fillStyle = rgb(tone, 0.85);
      context.fillRect(x + w * 0.14, top, w * 0.72, thick * 0.35);
    }
    context.fillStyle = rgb(tone);
    context.beginPath();
    context.roundRect(x + gap, bottom - thick, w - 2 * gap, thick, thick * 0.28);
    context.fill();
    context.fillStyle = 'rgba(255,255,255,.45)';
    context.fillRect(x + gap + thick * 0.2, bottom - thick + thick * 0.14, w - 2 * gap - thick * 0.4, thick * 0.16);
  }

  #key(context, x, w, tone, press) {
    const { line, height } = this;
    context.fillStyle = '#14161f';
    context.fillRect(x, line, w, height - line);
    context.fillStyle = rgb(tone, 0.22 + 0.78 * press);
    context.beginPath();
    context.roundRect(x + w * 0.1, line + (height - line) * 0.18, w * 0.8, (height - line) * 0.6, w * 0.08);
    context.fill();
    context.fillStyle = 'rgba(255,255,255,.85)';
    context.fillRect(x, line, w, 2);
  }

  #burst(context, x, tone, since) {
    const f = since / AFTER;
    if (f < 0 || f >= 1) return;
    const r = this.column * (0.35 + 0.35 * easeOut(f));
    context.globalAlpha = (1 - f) ** 1.5;
    context.strokeStyle = rgb(tone);
    context.lineWidth = Math.max(1.5, this.column * 0.06 * (1 - f));
    context.beginPath();
    context.ellipse(x, this.line - this.thick / 2, r, r * 0.42, 0, 0, 7);
    context.stroke();
    context.globalAlpha = 1;
  }
}

const left = (field, column) => field.left + column * field.column;
