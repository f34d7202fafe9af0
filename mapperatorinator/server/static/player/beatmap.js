// Reading .osu files (v3 to v14 and v128, all four modes) into what the player draws and plays.
//
// Times are ms, positions osu! pixels (512 x 384). A map can grow: `add` takes lines that came later.

import { SliderPath } from './path.js';
import { Timing, beatOf } from './timing.js';

export const OSU = 0, TAIKO = 1, CATCH = 2, MANIA = 3;
const CIRCLE = 1, SLIDER = 2, NEW_COMBO = 4, SPINNER = 8, HOLD = 128;
const EARLY_OFFSET = 24; // ms by which times of formats v3 and v4 lag behind
const MAX_NUMBER = 2147483647, MAX_SLIDES = 9000;
export const MAX_PARTS = 20000; // ticks, droplets, bananas of one object, bars of one tempo: hostile files ask for more
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SETS = { none: 0, normal: 1, soft: 2, drum: 3 };
const DEFAULT_COLOURS = [[255, 192, 0], [0, 202, 0], [18, 124, 255], [242, 24, 57]];

function number(text) {
  const trimmed = (text ?? '').trim(), value = Number(trimmed);
  if (!NUMBER.test(trimmed) || !(Math.abs(value) <= MAX_NUMBER)) throw new Error(`${trimmed} is no number`);
  return value;
}
const whole = (text) => Math.trunc(number(text));
const wholeOr = (text, other) => (text?.trim() ? whole(text) : other);

/** Where a slider is, and when: a hit object with a path. */
class Slider {
  constructor(common, path, slides, asked) {
    Object.assign(this, common, { kind: 'slider', path, slides, length: path.spanLength(asked) });
  }

  /** Position [x, y] at `progress` (0 .. slides) of the whole slider. */
  at(progress) {
    const p = Math.min(Math.max(progress, 0), this.slides), lap = Math.min(Math.floor(p), this.slides - 1);
    return this.path.at((lap % 2 ? 1 - (p - lap) : p - lap) * this.length);
  }

  get endPosition() {
    return this.slides % 2 ? this.path.at(this.length) : [this.x, this.y];
  }
}

/** One difficulty. `warnings` says which damaged lines were skipped. */
export class Beatmap {
  constructor(text) {
    Object.assign(this, {
      version: 14, mode: OSU, title: '', artist: '', creator: '', difficulty: '', audioFilename: '', background: '',
      sampleSet: 1, previewTime: -1, stackLeniency: 0.7, cs: 5, hp: 5, od: 5, ar: null, sliderMultiplier: 1.4,
      tickRate: 1, points: [], breaks: [], colours: [], objects: [], warnings: [], timing: new Timing([]),
    });
    this.lines = new Set(); // of objects and timing points, so that a text can be given twice
    this.add(text.replace(/^\uFEFF/, ''));
  }

  /** Reads a whole file, sections, or bare lines of objects; what is there already is not added again. */
  add(text) {
    const known = new Set(this.lines);
    let section = 'HitObjects';
    for (const line of text.split(/\r\n?|\n/)) {
      const stripped = line.replace(/^[\0 \t]+|[\0 \t]+$/g, '');
      const header = /osu file format v(\d{1,4})/.exec(stripped);
      if (!stripped || stripped.startsWith('//')) continue;
      if (header) { this.version = Number(header[1]); section = ''; continue; }
      if (stripped[0] === '[' && stripped.endsWith(']')) { section = stripped.slice(1, -1); continue; }
      try {
        this.#read(section, stripped, known);
      } catch (error) {
        if (this.warnings.length < 100) this.warnings.push(`${section}: ${stripped.slice(0, 60)}: ${error.message}`);
      }
    }
    this.#finish();
  }

  get offset() {
    return this.version < 5 ? EARLY_OFFSET : 0;
  }

  get approachRate() {
    return this.ar ?? this.od; // files older than the key mean this
  }

  get keys() {
    return Math.max(1, Math.round(this.cs));
  }

  /** How long before its time an object of osu! or catch appears, in ms. */
  get preempt() {
    return 1200 - (this.approachRate > 5 ? 150 : 120) * (this.approachRate - 5);
  }

  #read(section, line, known) {
    if (section === 'HitObjects' || section === 'TimingPoints') {
      const key = section[0] + line;
      if (known.has(key)) return;
      this.lines.add(key);
      if (section === 'HitObjects') this.objects.push(this.#object(line));
      else this.points.push(this.#point(line));
    } else if (section === 'Events') this.#event(line);
    else if (section === 'Colours') this.#colour(line);
    else this.#keyValue(line);
  }

  #keyValue(line) {
    const at = line.indexOf(':');
    if (at < 0) return;
    const name = line.slice(0, at).trim(), value = line.slice(at + 1).trim();
    const text = { Title: 'title', Artist: 'artist', Creator: 'creator', Version: 'difficulty', AudioFilename: 'audioFilename' };
    const figure = {
      Mode: 'mode', StackLeniency: 'stackLeniency', CircleSize: 'cs', HPDrainRate: 'hp', OverallDifficulty: 'od',
      ApproachRate: 'ar', SliderMultiplier: 'sliderMultiplier', SliderTickRate: 'tickRate', PreviewTime: 'previewTime',
    };
    if (name in text) this[text[name]] = value;
    else if (name in figure) this[figure[name]] = number(value);
    else if (name === 'SampleSet') this.sampleSet = SETS[value.toLowerCase()] ?? 1;
  }

  #event(line) {
    const parts = line.split(','), kind = parts[0].toLowerCase();
    if (kind === '2' || kind === 'break') {
      const [start, end] = parts.slice(1, 3).map((part) => number(part) + this.offset);
      this.breaks.push({ start, end });
    } else if ((kind === '0' || kind === 'background') && !this.background) {
      this.background = (/"([^"]*)"/.exec(line)?.[1] ?? parts[2] ?? '').trim();
    }
  }

  #colour(line) {
    const match = /^Combo\d+\s*:\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)/.exec(line);
    if (match) this.colours.push(match.slice(1, 4).map((part) => Math.min(Number(part), 255)));
  }

  #point(line) {
    const f = line.split('//')[0].split(',');
    const red = wholeOr(f[6], 1) === 1, meter = wholeOr(f[2], 4) || 4;
    if (meter < 0) throw new Error('a measure cannot have fewer than 0 beats');
    const nan = !red && f[1].trim().toLowerCase() === 'nan';
    return {
      time: number(f[0]) + this.offset, beatLength: nan ? NaN : red ? number(f[1]) : Number(f[1]), meter,
      set: wholeOr(f[3], this.sampleSet), index: wholeOr(f[4], 0), volume: wholeOr(f[5], 100), red,
      kiai: Boolean(wholeOr(f[7], 0) & 1), omitBar: Boolean(wholeOr(f[7], 0) & 8),
    };
  }

  #object(line) {
    const f = line.split('//')[0].split(',').map((part) => part.trim());
    const flags = whole(f[3]), time = number(f[2]) + this.offset;
    const common = {
      kind: 'circle', x: number(f[0]), y: number(f[1]), time, end: time, newCombo: Boolean(flags & NEW_COMBO),
      skip: (flags >> 4) & 7, sound: wholeOr(f[4], 0), sample: sample(f[5]), combo: 0, number: 1, stack: 0,
    };
    if (flags & CIRCLE) return common;
    if (flags & SLIDER) return this.#slider(f, common);
    if (flags & SPINNER) {
      return { ...common, kind: 'spinner', end: Math.max(time, number(f[5]) + this.offset), sample: sample(f[6]) };
    }
    if (flags & HOLD) {
      const [end, ...rest] = f.slice(5).join(',').split(':');
      return { ...common, kind: 'hold', end: end ? Math.max(time, number(end) + this.offset) : time, sample: sample(rest.join(':')) };
    }
    throw new Error(`there is no kind of object in the type ${flags}`);
  }

  #slider(f, common) {
    const slides = Math.max(1, whole(f[6]));
    if (slides > MAX_SLIDES) throw new Error(`${slides} slides are too many`);
    const path = new SliderPath(pathPoints(f[5], common.x, common.y), this.version >= 128);
    const slider = new Slider(common, path, slides, f[7] ? Math.max(0, number(f[7])) : 0);
    slider.edgeSounds = f[8] ? f[8].split('|').map(whole) : [];
    slider.edgeSets = f[9] ? f[9].split('|').map((part) => part.split(':').map((n) => wholeOr(n, 0))) : [];
    slider.sample = sample(f[10]);
    return slider;
  }

  /** What depends on the whole: order, slider times, combos. */
  #finish() {
    this.points.sort((a, b) => a.time - b.time);
    this.objects.sort((a, b) => a.time - b.time);
    this.timing = new Timing(this.points);
    const multiplier = Math.min(Math.max(this.sliderMultiplier, 0.4), 3.6);
    let combo = 0, count = 0, previous = null;
    this.end = 0; // when the last object ends, in ms
    for (const object of this.objects) {
      if (object.kind === 'slider') {
        object.velocity = (100 * multiplier * this.timing.velocity(object.time)) / beatOf(this.timing.red(object.time));
        object.span = object.length / object.velocity;
        object.end = object.time + object.slides * object.span;
      }
      if (!previous || object.newCombo || previous.kind === 'spinner') { combo += 1 + object.skip; count = 0; }
      object.combo = combo;
      object.number = ++count;
      if (this.mode === MANIA) {
        object.column = Math.min(Math.max(Math.trunc((object.x * this.keys) / 512), 0), this.keys - 1);
      }
      this.end = Math.max(this.end, object.end);
      previous = object;
    }
  }

  /** The colour [r, g, b] of an object's combo. */
  colour(object) {
    const colours = this.colours.length ? this.colours : DEFAULT_COLOURS;
    return colours[object.combo % colours.length];
  }

  /** Calls visit(time, progress along the path, span) for the ticks of a slider, in order of time. */
  sliderTicks(slider, visit) {
    if (Number.isNaN(this.timing.inForce(slider.time)?.beatLength)) return; // maps switch ticks off like that
    const perTick = this.version < 8 ? 1 : this.timing.velocity(slider.time);
    const multiplier = Math.min(Math.max(this.sliderMultiplier, 0.4), 3.6);
    const distance = Math.min((100 * multiplier * perTick) / Math.min(Math.max(this.tickRate, 0.5), 8), slider.length);
    const last = Math.min(slider.length, 100000) - slider.velocity * 10; // none in the last 10 ms
    if (!(distance > 0)) return;
    for (let span = 0, left = MAX_PARTS; span < slider.slides && left > 0; span++) {
      const at = [];
      for (let d = distance; d < last; d += distance) at.push(d / slider.length);
      const start = slider.time + span * slider.span;
      if (span % 2) at.reverse();
      left -= at.length;
      for (const p of at) visit(start + (span % 2 ? 1 - p : p) * slider.span, p, span);
    }
  }
}

function sample(text) {
  const parts = (text ?? '').split(':').map((part) => (NUMBER.test(part.trim()) ? whole(part) : 0));
  return { normal: parts[0] ?? 0, addition: parts[1] ?? 0, index: parts[2] ?? 0, volume: parts[3] ?? 0 };
}

/** The control points of a slider line; the first letter is the head's, others the next point's. */
function pathPoints(text, x, y) {
  const points = [];
  let type = null;
  for (const part of text.split('|')) {
    if (/^\p{L}/u.test(part)) {
      type = /^([BCLP]|B[1-9]\d{0,3})$/.test(part) ? part : 'C'; // what the game makes of unknown letters
      if (!points.length) { points.push({ x, y, type }); type = null; }
    } else {
      const [px, py] = part.split(':');
      points.push({ x: number(px), y: number(py), type });
      type = null;
    }
  }
  if (!points[0]?.type) throw new Error('the slider has no curve type');
  return points;
}
