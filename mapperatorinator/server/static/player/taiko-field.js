// The playfield of taiko: dons, kats, finishers, drumrolls and dendens scroll into the drum.

import { Sprites, bound, clamp01, countUntil, disc, easeOut, rgb, stamp } from './field.js';
import { rollTimes } from './hitsounds.js';
import { beatOf } from './timing.js';

const DON = [235, 69, 44], KAT = [68, 141, 171], ROLL = [252, 184, 6], DENDEN = [230, 120, 40];
const LANE = 0.42, HIT = 0.25; // lane height; place of the target, both of the field's height and width at most
const PX_PER_BEAT = 480 / 7 / 480; // of the lane's scroll height, for a velocity of 1
const CONVERSION = 1.4, FLY = 420; // the game's factor for taiko; ms for which a hit note flies away

export class TaikoField {
  aspect = 2.6;

  constructor(map) {
    this.map = map;
    this.sprites = new Sprites();
    this.update();
  }

  update() {
    const { map } = this, last = map.end + 5000;
    this.notes = map.objects.map((object) => ({
      object, time: object.time, end: object.end, speed: this.#speed(object.time), big: Boolean(object.sound & 4),
      kat: Boolean(object.sound & 10), rolls: object.kind === 'circle' ? null : rollTimes(map, object),
    }));
    this.bars = [];
    map.timing.reds.forEach((red, i) => {
      const step = beatOf(red) * red.meter, stop = Math.min(map.timing.reds[i + 1]?.time - 1 || last, last);
      for (let time = red.time, n = 0; time <= stop && n < 5000; time += step, n++) {
        if (n || !red.omitBar) this.bars.push({ time, end: time, speed: this.#speed(time) });
      }
    });
    this.strikes = this.notes.flatMap(({ object, rolls, kat, big, time }) => (rolls
      ? rolls.map((at, i) => ({ time: at, kat: object.kind === 'spinner' && i % 2 === 1, big: false }))
      : [{ time, kat, big }])).sort((a, b) => a.time - b.time);
    this.hits = this.notes.filter(({ rolls }) => !rolls).map(({ time }) => time);
    this.lead = Math.min(20000, Math.max(0, ...this.notes.map(({ speed }) => 2.5 / speed)));
  }

  /** Lane heights (of 480 px in the game) per ms. */
  #speed(time) {
    const { timing, sliderMultiplier } = this.map;
    return (sliderMultiplier * CONVERSION * timing.scroll(time) * 1000 * PX_PER_BEAT) / 1000 / beatOf(timing.red(time));
  }

  combo(time) {
    return countUntil(this.hits, time);
  }

  resize(width, height) {
    if (width !== this.width || height !== this.height) this.sprites.clear();
    Object.assign(this, { width, height });
    this.lane = Math.min(height * LANE, width * 0.26);
    this.unit = this.lane * 3.9; // what 480 px are to the game
    this.target = Math.min(width * HIT, this.lane * 1.75);
    this.y = height / 2;
  }

  draw(context, time) {
    this.#lane(context, time);
    context.save();
    context.beginPath();
    context.rect(this.target - this.lane * 0.62, 0, this.width, this.height);
    context.clip();
    const x = (note, at = note.time) => this.target + (at - time) * note.speed * this.unit;
    context.fillStyle = 'rgba(255,255,255,.28)';
    for (const bar of this.bars) {
      const at = x(bar);
      if (at > this.target - this.lane && at < this.width) context.fillRect(at - 1, this.y - this.lane / 2, 2, this.lane);
    }
    const first = bound(this.notes.length, (i) => this.notes[i].time > time - 20000), after = bound(this.notes.length, (i) => this.notes[i].time > time + this.lead);
    for (let i = after - 1; i >= first; i--) {
      const note = this.notes[i];
      if (note.object.kind === 'circle') { if (note.time > time && x(note) < this.width + this.lane) this.#note(context, note, x(note), this.y, 1); }
      else if (note.object.kind === 'slider') this.#roll(context, note, x(note), x(note, note.end), time);
      else this.#denden(context, note, x(note), time);
    }
    context.restore();
    for (let i = first; i < after && this.notes[i].time <= time; i++) {
      const note = this.notes[i], since = (time - note.time) / FLY;
      if (since >= 1 || note.rolls) continue;
      const rise = Math.sin(since * Math.PI * 0.62) * this.lane * 0.95;
      context.globalAlpha = 1 - since ** 3;
      this.#note(context, note, this.target + since * this.width * 0.16, this.y - rise, 1);
      context.globalAlpha = 1;
    }
    this.#drum(context, time);
  }

  #lane(context, time) {
    const { width, y, lane, target } = this, top = y - lane / 2;
    context.fillStyle = 'rgba(20,20,26,.92)';
    context.fillRect(0, top, width, lane);
    context.fillStyle = 'rgba(255,255,255,.16)';
    context.fillRect(0, top - 2, width, 2);
    context.fillRect(0, top + lane, width, 2);
    const i = countUntil(this.strikes.map ? this.strikeTimes() : [], time) - 1, strike = this.strikes[i];
    const flash = strike ? 1 - clamp01((time - strike.time) / 180) : 0;
    if (flash > 0) {
      const glow = context.createRadialGradient(target, y, 0, target, y, lane);
      glow.addColorStop(0, rgb(strike.kat ? KAT : DON, 0.75 * flash));
      glow.addColorStop(1, rgb(strike.kat ? KAT : DON, 0));
      context.fillStyle = glow;
      context.fillRect(target - lane, top, 2 * lane, lane);
    }
    context.lineWidth = Math.max(1.5, lane * 0.018);
    context.strokeStyle = 'rgba(255,255,255,.6)';
    for (const radius of [0.225, 0.345]) {
      context.beginPath();
      context.arc(target, y, lane * radius, 0, 7);
      context.stroke();
    }
  }

  strikeTimes() {
    if (this.strikeOf !== this.strikes) {
      this.strikeOf = this.strikes;
      this.struck = this.strikes.map(({ time }) => time);
    }
    return this.struck;
  }

  #note(context, { kat, big }, x, y) {
    const radius = this.lane * (big ? 0.335 : 0.215), size = Math.ceil(2 * radius + 4);
    const sprite = this.sprites.get(`${kat}${big}`, size, size, (c) => {
      disc(c, size, radius, kat ? KAT : DON, [250, 245, 235], 0.12);
      c.strokeStyle = 'rgba(255,255,255,.8)';
      c.lineWidth = radius * 0.09;
      c.beginPath();
      c.arc(size / 2, size / 2, radius * 0.52, 0, 7);
      if (kat) c.stroke();
      else { c.fillStyle = 'rgba(255,255,255,.3)'; c.fill(); }
    });
    stamp(context, sprite, x, y);
  }

  #roll(context, note, from, to, time) {
    if (to < this.target - this.lane || from > this.width + this.lane) return;
    const radius = this.lane * (note.big ? 0.335 : 0.215);
    context.lineCap = 'round';
    for (const [width, style] of [[2 * radius, '#fff4dc'], [1.74 * radius, rgb(ROLL)]]) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.beginPath();
      context.moveTo(from, this.y);
      context.lineTo(Math.max(to, from + 0.01), this.y);
      context.stroke();
    }
    context.fillStyle = 'rgba(120,60,0,.55)';
    for (const at of note.rolls) {
      const x = this.target + (at - time) * note.speed * this.unit;
      if (x > this.width) break;
      context.beginPath();
      context.arc(x, this.y, radius * 0.17, 0, 7);
      context.fill();
    }
    const size = Math.ceil(2 * radius + 4);
    stamp(context, this.sprites.get(`roll${note.big}`, size, size, (c) => disc(c, size, radius, ROLL, [255, 244, 220], 0.12)), from, this.y);
  }

  #denden(context, note, x, time) {
    if (time > note.end + 200) return;
    const inside = time >= note.time, at = inside ? this.target : x;
    if (at > this.width + this.lane) return;
    const radius = this.lane * 0.3, size = Math.ceil(2 * radius + 4), done = clamp01((time - note.time) / Math.max(1, note.end - note.time));
    context.globalAlpha = 1 - clamp01((time - note.end) / 200);
    stamp(context, this.sprites.get('denden', size, size, (c) => disc(c, size, radius, DENDEN, [255, 236, 200], 0.16)), at, this.y, 1 + 0.35 * easeOut(done) * inside);
    context.strokeStyle = 'rgba(255,255,255,.85)';
    context.lineWidth = radius * 0.12;
    if (inside) {
      context.beginPath();
      context.arc(at, this.y, this.lane * (1.15 - 0.75 * done), 0, 7);
      context.stroke();
    }
    context.fillStyle = '#fff';
    context.font = `700 ${radius * 0.85}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    const left = note.rolls.length - countUntil(note.rolls, time);
    context.fillText(inside ? left : '◎', at, this.y);
    context.globalAlpha = 1;
  }

  /** The drum at the left and what strikes it. */
  #drum(context, time) {
    const { y, lane } = this, wide = this.target - lane * 0.62, x = wide / 2, r = Math.min(lane * 0.42, wide * 0.42);
    const gradient = context.createLinearGradient(0, 0, wide, 0);
    gradient.addColorStop(0, '#8d2f24');
    gradient.addColorStop(1, '#b8402f');
    context.fillStyle = gradient;
    context.fillRect(0, y - lane / 2, wide, lane);
    context.fillStyle = '#efe6d8';
    context.beginPath();
    context.arc(x, y, r, 0, 7);
    context.fill();
    context.strokeStyle = '#3a2722';
    context.lineWidth = r * 0.13;
    context.stroke();
    context.lineWidth = r * 0.05;
    context.beginPath();
    context.arc(x, y, r * 0.62, 0, 7);
    context.moveTo(x, y - r);
    context.lineTo(x, y + r);
    context.stroke();
    const times = this.strikeTimes();
    for (let i = countUntil(times, time) - 1; i >= 0 && times[i] > time - 130; i--) {
      const { kat, big } = this.strikes[i], glow = 1 - (time - times[i]) / 130;
      context.globalAlpha = glow;
      for (const side of big ? [0, 1] : [i % 2]) {
        context.beginPath();
        const from = Math.PI / 2 + side * Math.PI;
        context.arc(x, y, kat ? r * 0.81 : r * 0.3, from, from + Math.PI);
        context.lineWidth = kat ? r * 0.36 : r * 0.6;
        context.lineCap = 'butt';
        context.strokeStyle = rgb(kat ? KAT : DON);
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }
}
