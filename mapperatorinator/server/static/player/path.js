// Slider paths: control points in, positions along the drawn curve out.

import { flatten, inLine } from './curves.js';

/** The control points [{x, y, type}] of a slider, head first; `lazer` asks for the rules of format v128. */
export class SliderPath {
  #measured = null;

  constructor(points, lazer = false) {
    this.points = points;
    this.lazer = lazer;
  }

  /** {xs, ys, arc}: the whole curve as chords of positive length; arc: distance from the head. */
  get line() {
    return (this.#measured ??= this.#measure());
  }

  /** The length in px of one span for which the file asks `asked` px (0: the drawn curve's). */
  spanLength(asked) {
    const [last, before] = [this.points.at(-1), this.points.at(-2)];
    if (asked > 0 && before && (last.x !== before.x || last.y !== before.y)) return asked; // no need to draw the curve
    const { arc, extends: far } = this.line;
    const natural = arc[arc.length - 1];
    if (asked <= 0) return natural;
    return far ? asked : Math.min(asked, natural);
  }

  /** The position [x, y] at `distance` px from the head. */
  at(distance) {
    const { xs, ys, arc, extends: far } = this.line;
    if (xs.length === 1) return [xs[0], ys[0]];
    const d = far ? distance : Math.min(distance, arc[arc.length - 1]);
    let low = 0, high = arc.length - 1; // the last chord that starts at or before d
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (arc[middle] <= d) low = middle; else high = middle;
    }
    const f = (d - arc[low]) / (arc[low + 1] - arc[low]);
    return [xs[low] + f * (xs[low + 1] - xs[low]), ys[low] + f * (ys[low + 1] - ys[low])];
  }

  /** The points [x, y] to draw for a span of `length` px. */
  drawn(length) {
    const { xs, ys, arc } = this.line, out = [];
    for (let i = 0; i < xs.length && arc[i] < length; i++) out.push([xs[i], ys[i]]);
    out.push(this.at(length));
    return out;
  }

  #measure() {
    const all = this.segments().flatMap(([kind, points]) => flatten(kind, points));
    if (!all.length) all.push([this.points[0].x, this.points[0].y]);
    const xs = [all[0][0]], ys = [all[0][1]], arc = [0];
    let total = 0, far = false;
    for (let i = 1; i < all.length; i++) {
      const next = total + Math.hypot(all[i][0] - all[i - 1][0], all[i][1] - all[i - 1][1]);
      far = next > total;
      if (far) { xs.push(all[i][0]); ys.push(all[i][1]); arc.push(next); }
      total = next;
    }
    return { xs, ys, arc, extends: far };
  }

  /** The segments [type, points] after the game's splitting rules. */
  segments() {
    const end = this.points.length - 1, result = [];
    const starts = this.points.map((_, i) => i).filter((i) => i < end && (i === 0 || this.points[i].type));
    starts.forEach((start, n) => {
      const stop = starts[n + 1] ?? end;
      const points = this.points.slice(start, stop + 1).map(({ x, y }) => [x, y]);
      let kind = this.points[start].type ?? 'L';
      if (kind === 'P' && (points.length !== 3 || (this.lazer && inLine(points)))) kind = 'B';
      result.push(...split(kind, points, stop === end, this.lazer));
    });
    return result;
  }
}

const same = (a, b) => a[0] === b[0] && a[1] === b[1];

/** Cut one typed segment at repeated points. */
function split(kind, points, isLast, lazer) {
  if (kind === 'C' && !lazer) { // here they split nothing, but for the head
    return [[kind, points.length > 2 && same(points[0], points[1]) ? points.slice(1) : points]];
  }
  const result = [], bound = points.length - (isLast ? 2 : 3); // the end of a segment starts no other
  let start = 0;
  for (let i = 1; i <= bound; i++) {
    if (!same(points[i], points[i - 1])) continue;
    if (i - start > 1) result.push([kind, points.slice(start, i)]);
    start = i;
  }
  result.push([kind, points.slice(start)]);
  return result;
}
