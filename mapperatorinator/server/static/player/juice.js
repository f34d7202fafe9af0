// What falls in catch: fruits, droplets, tiny droplets and bananas of a map, and where hyperdashes are needed.
//
// The game's rules (osu! source, CatchBeatmapProcessor, JuiceStream, BananaShower), its random numbers included.

import { MAX_PARTS } from './beatmap.js';

const WIDTH = 512, SEED = 1337, TAIL_LENIENCY = 36, CATCHER = 106.75, GRACE = 1000 / 60 / 4;

/** The xorshift generator of the game, 31-bit numbers. */
class Random {
  constructor(seed) {
    this.state = [seed >>> 0, 842502087, 3579807591, 273326509];
  }

  next() {
    const [x, y, z, w] = this.state, t = x ^ (x << 11);
    const value = (w ^ (w >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    this.state = [y, z, w, value];
    return value & 0x7fffffff;
  }

  fraction() {
    return this.next() / 0x80000000;
  }

  between(low, high) {
    return Math.trunc(low + this.fraction() * (high - low));
  }
}

/** The width of the catcher that catches, in px, at a circle size. */
export const catcherWidth = (cs) => CATCHER * (1 - (0.7 * (cs - 5)) / 5) * 0.8;

/** All that falls, in order of time: {kind: fruit|droplet|tiny|banana, time, x, source, hyper, number}. */
export function fallingOf(map) {
  const random = new Random(SEED), result = map.objects.flatMap((source) => {
    if (source.kind === 'slider') return juice(map, source, random);
    if (source.kind === 'spinner') return bananas(source, random);
    return { kind: 'fruit', time: source.time, x: source.x, source };
  });
  result.forEach((falling, i) => { falling.number = i; falling.x = Math.min(Math.max(falling.x, 0), WIDTH); });
  result.sort((a, b) => a.time - b.time);
  markHyper(result.filter(({ kind }) => kind === 'fruit' || kind === 'droplet'), catcherWidth(map.cs));
  return result;
}

function bananas(source, random) {
  const start = Math.trunc(source.time), end = Math.trunc(source.end), result = [];
  let spacing = end - start;
  while (spacing > 100) spacing /= 2;
  for (let time = start; spacing > 0 && time <= end && result.length < MAX_PARTS; time += spacing) {
    result.push({ kind: 'banana', time, x: random.fraction() * WIDTH, source });
    for (let i = 0; i < 3; i++) random.next(); // kind, flip and colour in the game
  }
  return result;
}

function juice(map, source, random) {
  const result = [], xAt = (progress) => source.path.at(progress * source.length)[0];
  let last = null;
  for (const event of events(map, source)) {
    if (last) {
      const since = Math.trunc(event.time) - Math.trunc(last.time);
      if (since > 80) {
        let gap = since;
        while (gap > 100) gap /= 2;
        for (let t = gap; t < since && result.length < MAX_PARTS; t += gap) {
          const progress = last.progress + (t / since) * (event.progress - last.progress);
          result.push({ kind: 'tiny', time: last.time + t, x: xAt(progress), source });
        }
      }
    }
    last = event;
    if (event.kind) result.push({ kind: event.kind, time: event.time, x: xAt(event.progress), source, edge: event.edge });
  }
  for (const falling of result) {
    if (falling.kind === 'tiny') falling.x += random.between(-20, 20);
    else if (falling.kind === 'droplet') random.next();
  }
  return result;
}

/** Head, ticks, repeats, the game's early last tick (no kind) and tail of a slider. */
function events(map, slider) {
  const { time, slides, span } = slider;
  const result = [{ kind: 'fruit', time, progress: 0, edge: 0 }];
  for (let i = 1; i < slides; i++) result.push({ kind: 'fruit', time: time + i * span, progress: i % 2, edge: i });
  map.sliderTicks(slider, (at, progress) => result.push({ kind: 'droplet', time: at, progress }));
  result.sort((a, b) => a.time - b.time);
  const lastStart = time + (slides - 1) * span;
  const early = Math.max(time + (slides * span) / 2, lastStart + span - TAIL_LENIENCY);
  const progress = span > 0 ? (early - lastStart) / span : 1;
  result.push({ kind: null, time: early, progress: slides % 2 ? progress : 1 - progress });
  result.push({ kind: 'fruit', time: slider.end, progress: slides % 2, edge: slides });
  return result;
}

function markHyper(caught, width) {
  const half = width / 2 / 0.8; // the game uses the full width of the catcher here
  let lastDirection = 0, lastExcess = half;
  for (let i = 0; i + 1 < caught.length; i++) {
    const now = caught[i], next = caught[i + 1], direction = next.x > now.x ? 1 : -1;
    const time = Math.trunc(next.time) - Math.trunc(now.time) - GRACE;
    const distance = Math.abs(next.x - now.x) - (lastDirection === direction ? lastExcess : half);
    now.hyper = time < distance;
    lastExcess = now.hyper ? half : Math.min(Math.max(time - distance, 0), half);
    lastDirection = direction;
  }
}
