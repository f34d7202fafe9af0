// The playfield of mania: notes and holds fall in 1 to 18 columns, at the speed that the map asks for.

import { Sprites, bound, box, clamp01, countUntil, eachBar, easeOut, rgb, white, ellipse } from './field.js';
import { lastAt, beatOf } from './timing.js';

const RANGE = 620; // ms from the top to the line at a scroll speed of 1
const LINE = 0.86, AFTER = 220, PRESS = 140; // line: of the height; ms
const LIGHT = [236, 240, 255], BLUE = [94, 170, 255], GOLD = [255, 204, 72];

export class ManiaField {
  constructor(map) {
    this.map = map;
    this.sprites = new Sprites();
    this.scrollTime = RANGE;
    this.update();
  }

  update() {
    const { map } = this;
    this.keys = map.keys;
    this.#layRoad();
    this.lanes = Array.from({ length: this.keys }, () => []);
    for (const { column, time, end } of map.objects) {
      const lane = this.lanes[column], reach = Math.max(end, lane[lane.length - 1]?.reach ?? end);
      lane.push({ time, end, reach, from: this.place(time), to: this.place(end) });
    }
    this.bars = [];
    eachBar(map.timing, map.end, (time) => this.bars.push(this.place(time)));
    this.hits = map.objects.map(({ time }) => time);
  }

  /** Stretches of equal scroll speed: {time, place, speed}; place is the road travelled, in ms at speed 1. */
  #layRoad() {
    const { timing, end } = this.map, main = timing.mainBeat(end);
    const speedAt = (time) => (main / beatOf(timing.red(time))) * timing.scroll(time);
    this.road = [{ time: 0, place: 0, speed: speedAt(0) }];
    for (const { time } of timing.all) {
      const last = this.road[this.road.length - 1], speed = speedAt(time);
      if (time > last.time && speed !== last.speed) {
        this.road.push({ time, place: last.place + (time - last.time) * last.speed, speed });
      }
    }
  }

  /** Where on the road the moment `time` is. */
  place(time) {
    const part = this.road[Math.max(0, lastAt(this.road, time, (p) => p.time))];
    return part.place + (time - part.time) * part.speed;
  }

  combo(time) {
    return countUntil(this.hits, time);
  }

  resize(width, height) {
    const wide = Math.min(width * 0.96, Math.max(height * 0.62, 56 * this.keys), height * 0.15 * this.keys), column = wide / this.keys;
    this.sprites.clear();
    Object.assign(this, { height, wide, column, left: (width - wide) / 2, line: height * LINE, thick: Math.min(column * 0.36, height * 0.036) });
  }

  #tone(column) {
    const mirrored = Math.min(column, this.keys - 1 - column);
    return this.keys % 2 && column * 2 === this.keys - 1 ? GOLD : mirrored % 2 ? BLUE : LIGHT;
  }

  draw(c, time) {
    const { left, wide, height, line } = this, here = this.place(time);
    const y = (place) => line - ((place - here) / this.scrollTime) * line;
    c.fillStyle = 'rgba(6,7,12,.88)';
    c.fillRect(left, 0, wide, height);
    c.fillStyle = white(0.14);
    for (let i = bound(this.bars.length, (n) => this.bars[n] >= here); i < this.bars.length && y(this.bars[i]) > 0; i++) {
      c.fillRect(left, y(this.bars[i]) - 1, wide, 1);
    }
    this.lanes.forEach((lane, column) => this.#column(c, lane, column, time, y));
    c.fillStyle = white(0.3);
    c.fillRect(left - 2, 0, 2, height);
    c.fillRect(left + wide, 0, 2, height);
    c.fillRect(left, line, wide, 2);
  }

  #column(c, lane, column, time, y) {
    const { column: w, line, thick, height } = this, x = this.left + column * w, tone = this.#tone(column);
    const last = lane[bound(lane.length, (i) => lane[i].time > time) - 1], held = last && time < last.end;
    const press = held ? 1 : last ? 1 - clamp01((time - last.end) / PRESS) : 0;
    c.fillStyle = column % 2 ? white(0.025) : white(0.055);
    c.fillRect(x, 0, w, height);
    c.globalAlpha = 0.4 * press;
    if (press > 0) c.drawImage(this.#beam(tone), x, line - height * 0.55, w, height * 0.55);
    c.globalAlpha = 1;
    for (let i = bound(lane.length, (n) => lane[n].reach > time); i < lane.length && y(lane[i].from) > -thick; i++) {
      if (lane[i].end > time) this.#note(c, x, lane[i], tone, time, y);
    }
    c.fillStyle = '#14161f';
    c.fillRect(x, line, w, height - line);
    box(c, x + w * 0.1, line + (height - line) * 0.18, w * 0.8, (height - line) * 0.6, w * 0.08, rgb(tone, 0.22 + 0.78 * press));
    if (last) this.#burst(c, x + w / 2, tone, held ? (time - last.time) % 160 : time - last.time);
  }

  #beam(tone) {
    return this.sprites.get(`beam${tone}`, 1, 256, (c) => {
      const beam = c.createLinearGradient(0, 0, 0, 256);
      beam.addColorStop(0, rgb(tone, 0));
      beam.addColorStop(1, rgb(tone));
      c.fillStyle = beam;
      c.fillRect(0, 0, 1, 256);
    });
  }

  #note(c, x, note, tone, time, y) {
    const { thick, column: w } = this, gap = Math.max(1, w * 0.05), held = note.time <= time;
    const bottom = held ? this.line : y(note.from);
    if (note.end > note.time) {
      const top = Math.max(y(note.to), -thick);
      box(c, x + w * 0.14, top, w * 0.72, Math.max(0, bottom - top - thick / 2), 0, rgb(tone, held ? 0.75 : 0.5));
      box(c, x + w * 0.14, y(note.to), w * 0.72, thick * 0.35, 0, rgb(tone, 0.85));
    }
    box(c, x + gap, bottom - thick, w - 2 * gap, thick, thick * 0.28, rgb(tone));
    box(c, x + gap + thick * 0.2, bottom - thick * 0.86, w - 2 * gap - thick * 0.4, thick * 0.16, 0, white(0.45));
  }

  #burst(c, x, tone, since) {
    const f = since / AFTER, r = this.column * (0.35 + 0.35 * easeOut(f));
    if (f < 0 || f >= 1) return;
    c.globalAlpha = (1 - f) ** 1.5;
    ellipse(c, x, this.line - this.thick / 2, r, r * 0.42, Math.max(1.5, this.column * 0.06 * (1 - f)), rgb(tone));
    c.globalAlpha = 1;
  }
}
