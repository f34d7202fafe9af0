// How dense and how hard a map is over time, as two curves for the overview strip.

import { CATCH, MANIA, OSU, TAIKO } from './beatmap.js';

const FORGET = 0.25; // share of strain that is left after a second

/** {density: objects per second, strain: 0..1}, one value for each of `bins` equal parts of [0, end] ms. */
export function effortOf(map, end, bins) {
  const density = new Float32Array(bins), strain = new Float32Array(bins), width = end / bins;
  const bin = (time) => Math.min(bins - 1, Math.max(0, Math.floor(time / width)));
  const columns = [];
  let level = 0, previous = null;
  for (const object of map.objects) {
    density[bin(object.time)] += 1000 / width;
    if (previous) level *= FORGET ** ((object.time - previous.time) / 1000);
    level += weight(map, object, previous, columns);
    strain[bin(object.time)] = Math.max(strain[bin(object.time)], level);
    previous = object;
  }
  const top = Math.max(1, ...strain);
  return { density: smooth(density, Math.max(1, Math.round(700 / width))), strain: smooth(strain.map((v) => v / top), 1) };
}

function weight(map, object, previous, columns) {
  if (!previous || object.kind === 'spinner') return 0.2;
  if (map.mode === MANIA) {
    const since = object.time - (columns[object.column] ?? -Infinity);
    columns[object.column] = object.time;
    return 1 + Math.max(0, 1 - since / 250); // the same finger again at once
  }
  if (map.mode === TAIKO) return 1 + 0.5 * (Boolean(object.sound & 10) !== Boolean(previous.sound & 10));
  const [x, y] = previous.kind === 'slider' ? previous.endPosition : [previous.x, previous.y];
  const distance = map.mode === CATCH ? Math.abs(object.x - x) : Math.hypot(object.x - x, object.y - y);
  return 1 + distance / (map.mode === OSU ? 90 : 120);
}

function smooth(values, radius) {
  return values.map((_, i) => {
    let sum = 0, count = 0;
    for (let j = Math.max(0, i - radius); j <= Math.min(values.length - 1, i + radius); j++) { sum += values[j]; count++; }
    return sum / count;
  });
}
