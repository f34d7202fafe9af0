// The playfield of taiko: dons, kats, finishers, drumrolls and dendens scroll into the drum.

import {
  Sprites, bound, clamp01, countUntil, disc, dot, eachBar, easeOut, label, rgb, ring, stamp, stroke, white,
} from './field.js';
import { rollTimes } from './hitsounds.js';
import { beatOf } from './timing.js';

const DON = [235, 69, 44], KAT = [68, 141, 171], ROLL = [252, 184, 6], DENDEN = [230, 120, 40], CREAM = [250, 245, 235];
const LANE = 0.42, MOST_LANE = 0.26; // height of the lane, of the field's height and width
const ROAD = 3.9, BEATS = 7; // lane heights that are 480 px in the game; they hold 7 beats at a velocity of 1
const CONVERSION = 1.4; // the game's factor for taiko
const SMALL = 0.215, BIG = 0.335, TARGET = 1.75; // of the lane height
const FLY = 420, STRIKE = 140; // ms for which a hit note flies and a drum glows
const LONGEST = 20000; // ms, of any drumroll that is looked for

export class TaikoField {
  constructor(map) {
    this.map = map;
    this.sprites = new Sprites();
    this.update();
  }

  update() {
    const { map } = this;
    this.notes = map.objects.map((object) => ({
      object, time: object.time, end: object.end, speed: this.#speed(object.time), big: Boolean(object.sound & 4),
      kat: Boolean(object.sound & 10), rolls: object.kind === 'circle' ? null : rollTimes(map, object),
    }));
    this.bars = [];
    eachBar(map.timing, map.end + 5000, (time) => this.bars.push({ time, speed: this.#speed(time) }));
    this.strikes = this.notes.flatMap(({ object, rolls, kat, big, time }) => (rolls
      ? rolls.map((at, i) => ({ time: at, kat: object.kind === 'spinner' && i % 2 === 1, big: false }))
      : [{ time, kat, big }])).sort((a, b) => a.time - b.time);
    this.struck = this.strikes.map(({ time }) => time);
    this.hits = this.notes.filter(({ rolls }) => !rolls).map(({ time }) => time);
    this.lead = Math.min(LONGEST, this.notes.reduce((most, { speed }) => Math.max(most, 12 / speed), 0));
  }

  /** Lane heights per ms. */
  #speed(time) {
    const { timing, sliderMultiplier } = this.map;
    return ((ROAD / BEATS) * sliderMultiplier * CONVERSION * timing.scroll(time)) / beatOf(timing.red(time));
  }

  combo(time) {
    return countUntil(this.hits, time);
  }

  resize(width, height) {
    if (width !== this.width || height !== this.height) this.sprites.clear();
    const lane = Math.min(height * LANE, width * MOST_LANE);
    Object.assign(this, { width, height, lane, target: Math.min(width * 0.25, lane * TARGET), y: height / 2 });
    this.wall = this.target - lane * 0.62; // where the drum ends
  }

  draw(c, time) {
    const x = ({ speed, time: at }, when = at) => this.target + (when - time) * speed * this.lane;
    const first = bound(this.notes.length, (i) => this.notes[i].time > time - LONGEST);
    const after = bound(this.notes.length, (i) => this.notes[i].time > time + this.lead), far = this.width + this.lane;
    this.#lane(c, time);
    c.save();
    c.beginPath();
    c.rect(this.wall, 0, this.width, this.height);
    c.clip();
    c.fillStyle = white(0.28);
    for (const bar of this.bars) {
      if (x(bar) > 0 && x(bar) < this.width) c.fillRect(x(bar) - 1, this.y - this.lane / 2, 2, this.lane);
    }
    for (let i = after - 1; i >= first; i--) {
      const note = this.notes[i], at = x(note);
      if (note.object.kind === 'slider') this.#roll(c, note, at, x(note, note.end), (when) => x(note, when));
      else if (note.object.kind === 'spinner') this.#denden(c, note, at, time);
      else if (note.time > time && at < far) this.#note(c, note, at, this.y);
    }
    c.restore();
    for (let i = first; i < after && this.notes[i].time <= time; i++) {
      const note = this.notes[i], f = (time - note.time) / FLY;
      if (f >= 1 || note.rolls) continue;
      c.globalAlpha = 1 - f ** 3;
      this.#note(c, note, this.target + f * this.width * 0.16, this.y - Math.sin(f * 1.95) * this.lane * 0.95);
    }
    c.globalAlpha = 1;
    this.#drum(c, time);
  }

  #lane(c, time) {
    const { width, y, lane, target } = this, top = y - lane / 2, i = countUntil(this.struck, time) - 1;
    c.fillStyle = 'rgba(20,20,26,.92)';
    c.fillRect(0, top, width, lane);
    c.fillStyle = white(0.16);
    c.fillRect(0, top - 2, width, 2);
    c.fillRect(0, top + lane, width, 2);
    c.globalAlpha = i < 0 ? 0 : 0.8 * (1 - clamp01((time - this.struck[i]) / STRIKE));
    if (c.globalAlpha) stamp(c, this.sprites.glow(this.strikes[i].kat ? KAT : DON, lane * 0.62), target, y);
    c.globalAlpha = 1;
    for (const radius of [SMALL, BIG]) ring(c, target, y, lane * radius, Math.max(1.5, lane * 0.018), white(0.6));
  }

  #disc(colour, part, mark) {
    const radius = this.lane * part, size = Math.ceil(2 * radius + 4);
    return this.sprites.get(`${colour}${part}`, size, size, (c) => {
      disc(c, size, radius, colour, CREAM, 0.12);
      mark?.(c, size / 2, radius);
    });
  }

  #note(c, { kat, big }, x, y) {
    stamp(c, this.#disc(kat ? KAT : DON, big ? BIG : SMALL, (s, m, r) => {
      if (kat) ring(s, m, m, r * 0.52, r * 0.09, white(0.8));
      else dot(s, m, m, r * 0.52, white(0.3));
    }), x, y);
  }

  #roll(c, note, from, to, x) {
    if (to < this.wall - this.lane || from > this.width + this.lane) return;
    const part = note.big ? BIG : SMALL, radius = this.lane * part, line = [[from, this.y], [Math.max(to, from + 0.01), this.y]];
    stroke(c, line, 2 * radius, rgb(CREAM));
    stroke(c, line, 1.74 * radius, rgb(ROLL));
    for (const at of note.rolls) if (x(at) < this.width) dot(c, x(at), this.y, radius * 0.17, 'rgba(120,60,0,.55)');
    stamp(c, this.#disc(ROLL, part), from, this.y);
  }

  #denden(c, note, x, time) {
    const inside = time >= note.time, at = inside ? this.target : x, done = clamp01((time - note.time) / Math.max(1, note.end - note.time));
    if (time > note.end + 200 || at > this.width + this.lane) return;
    c.globalAlpha = 1 - clamp01((time - note.end) / 200);
    stamp(c, this.#disc(DENDEN, 0.3), at, this.y, 1 + 0.35 * easeOut(done) * inside);
    if (inside) ring(c, at, this.y, this.lane * (1.15 - 0.75 * done), this.lane * 0.035, white(0.85));
    label(c, note.rolls.length - countUntil(note.rolls, time), at, this.y, this.lane * 0.24);
    c.globalAlpha = 1;
  }

  /** The drum at the left and what strikes it. */
  #drum(c, time) {
    const { y, lane, wall } = this, x = wall / 2, r = Math.min(lane, wall) * 0.42;
    c.fillStyle = '#9c3527';
    c.fillRect(0, y - lane / 2, wall, lane);
    dot(c, x, y, r, '#efe6d8');
    ring(c, x, y, r, r * 0.13, '#3a2722');
    ring(c, x, y, r * 0.62, r * 0.05, '#3a2722');
    stroke(c, [[x, y - r], [x, y + r]], r * 0.05, '#3a2722');
    c.lineCap = 'butt';
    for (let i = countUntil(this.struck, time) - 1; i >= 0 && this.struck[i] > time - STRIKE; i--) {
      const { kat, big } = this.strikes[i];
      c.globalAlpha = 1 - (time - this.struck[i]) / STRIKE;
      c.lineWidth = r * (kat ? 0.36 : 0.6);
      c.strokeStyle = rgb(kat ? KAT : DON);
      for (const side of big ? [0, 1] : [i % 2]) {
        c.beginPath();
        c.arc(x, y, r * (kat ? 0.81 : 0.3), (side + 0.5) * Math.PI, (side + 1.5) * Math.PI);
        c.stroke();
      }
    }
    c.globalAlpha = 1;
  }
}
