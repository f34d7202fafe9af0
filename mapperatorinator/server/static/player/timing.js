// Timing points, what is in force at a given moment, and the beat grid that the timeline shows.

/** Index of the last element of the sorted `list` whose key is <= value, or -1. */
export function lastAt(list, value, key) {
  let low = -1, high = list.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (key(list[middle]) <= value) low = middle; else high = middle;
  }
  return low;
}

const timeOf = (point) => point.time;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const NO_TIMING = { time: 0, beatLength: 1000, meter: 4, red: true, set: 1, index: 0, volume: 100, kiai: false };

/** Beat length of a red line within the game's limits, in ms. */
export const beatOf = (red) => clamp(red.beatLength, 6, 60000);

function multiplier(point, least) {
  return point && !point.red && point.beatLength < 0 ? clamp(-100 / point.beatLength, least, 10) : 1;
}

/** Finds the lines in force; of lines at one time the first red and the last green one count. */
export class Timing {
  constructor(points) {
    const byTime = (a, b) => a.time - b.time;
    this.reds = points.filter((p) => p.red).reverse().sort(byTime);
    this.all = [...this.reds, ...points.filter((p) => !p.red)].sort(byTime);
  }

  red(time) {
    return this.reds[Math.max(0, lastAt(this.reds, time, timeOf))] ?? NO_TIMING;
  }

  /** As `inForce`, else the first line. */
  point(time) {
    return this.all[Math.max(0, lastAt(this.all, time, timeOf))] ?? NO_TIMING;
  }

  /** The last line of either colour at or before `time`, if there is one. */
  inForce(time) {
    return this.all[lastAt(this.all, time, timeOf)];
  }

  velocity(time) {
    return multiplier(this.inForce(time), 0.1);
  }

  scroll(time) {
    return multiplier(this.inForce(time), 0.01);
  }

  /** How much of the current beat has passed, 0 to 1. */
  phase(time) {
    const red = this.red(time), beats = (time - red.time) / beatOf(red);
    return beats - Math.floor(beats);
  }

  /** The beat length that is in force for most of the map, in ms. */
  mainBeat(end) {
    const spans = new Map();
    this.reds.forEach((red, i) => {
      const stop = Math.min(this.reds[i + 1]?.time ?? end, end), beat = Math.round(beatOf(red) * 1000) / 1000;
      spans.set(beat, (spans.get(beat) ?? 0) + Math.max(0, stop - (i ? red.time : 0)));
    });
    return [...spans].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 1000;
  }

  /** Stretches {start, end} of kiai time. */
  kiai(end) {
    const result = [];
    let start = null;
    for (const p of this.all) {
      if (p.kiai && start === null) start = p.time;
      if (!p.kiai && start !== null) { result.push({ start, end: p.time }); start = null; }
    }
    if (start !== null) result.push({ start, end });
    return result;
  }

  /** Calls visit(time, snap, isMeasure) for every tick of 1/divisor beat in [from, to]. */
  ticks(from, to, divisor, visit) {
    const reds = this.reds.length ? this.reds : [NO_TIMING];
    let i = Math.max(0, lastAt(reds, from, timeOf));
    for (; i < reds.length && (i === 0 || reds[i].time <= to); i++) {
      const red = reds[i], step = beatOf(red) / divisor;
      const start = i === 0 ? from : Math.max(from, red.time), stop = Math.min(to, (reds[i + 1]?.time ?? Infinity) - 1);
      for (let n = Math.ceil((start - red.time) / step - 1e-6); red.time + n * step <= stop; n++) {
        visit(red.time + n * step, snapOf(n, divisor), n % (divisor * red.meter) === 0);
      }
    }
  }

  /** The tick `steps` ticks of 1/divisor beat after (or before) `time`. */
  step(time, steps, divisor) {
    const red = this.red(time), unit = beatOf(red) / divisor, n = (time - red.time) / unit;
    const next = steps > 0 ? Math.floor(n + 1e-3) + steps : Math.ceil(n - 1e-3) + steps;
    return red.time + next * unit;
  }

  /** The snap (1, 2, 3, 4, 6, 8, 12, 16) on which `time` lies, or 0 for none within 2 ms. */
  snap(time) {
    const red = this.red(time), beats = (time - red.time) / beatOf(red);
    for (const snap of [1, 2, 3, 4, 6, 8, 12, 16]) {
      if (Math.abs(beats * snap - Math.round(beats * snap)) * beatOf(red) / snap <= 2) return snap;
    }
    return 0;
  }
}

function snapOf(n, divisor) {
  for (const snap of [1, 2, 3, 4, 6, 8, 12, 16]) if ((n * snap) % divisor === 0) return snap;
  return divisor;
}
