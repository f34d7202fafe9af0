// Curves of one slider segment as chords, at the precision at which the game draws and measures them.
// Points are [x, y] in osu! pixels.

const FLAT_BEND = 0.5; // px; a Bezier piece with smaller second differences is drawn as it is
const SHORTEST_PIECE = 2 ** -11;
const MAX_HALVED_POINTS = 256, HIGH_DEGREE_PIECES = 1024;
const BSPLINE_PIECES = 32, MAX_DEGREE = 100, MAX_BASIS = 4_000_000;
const CATMULL_PIECES = 50;
const COLLINEAR = 1e-3; // twice the area in px^2 below which three points are a straight line
const ARC_TOLERANCE = 0.1, MAX_ARC_POINTS = 999;

/** One segment of type `kind` ("L", "P", "B", "B3", "C") as chords, its ends included. */
export function flatten(kind, points) {
  if (kind === 'C') return catmull(points);
  if (kind === 'L' || points.length === 2) return points;
  if (kind === 'P') return arc(points);
  const degree = Number(kind.slice(1)) || 0;
  return degree === 0 || degree > MAX_DEGREE || degree >= points.length - 1 ? bezier(points) : bspline(points, degree);
}

/** Whether the game takes the first three points for a straight line. */
export function inLine([[ax, ay], [bx, by], [cx, cy]]) {
  return Math.abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) <= COLLINEAR;
}

function bezier(points) {
  if (points.length > MAX_HALVED_POINTS) return bernstein(points);
  const line = [], pending = [[points, 1]];
  while (pending.length) {
    const [piece, width] = pending.pop();
    const both = halves(piece);
    if (isFlat(piece) || width < SHORTEST_PIECE) {
      line.push(piece[0]);
      for (let m = 2; m < both.length - 2; m += 2) line.push(mean(both[m - 1], both[m], both[m + 1]));
    } else {
      const middle = piece.length - 1;
      pending.push([both.slice(middle), width / 2], [both.slice(0, middle + 1), width / 2]);
    }
  }
  line.push(points[points.length - 1]);
  return line;
}

const mean = (a, b, c) => [(a[0] + 2 * b[0] + c[0]) / 4, (a[1] + 2 * b[1] + c[1]) / 4];

function isFlat(p) {
  for (let i = 1; i < p.length - 1; i++) {
    const x = p[i - 1][0] - 2 * p[i][0] + p[i + 1][0], y = p[i - 1][1] - 2 * p[i][1] + p[i + 1][1];
    if (x * x + y * y > FLAT_BEND * FLAT_BEND) return false;
  }
  return true;
}

/** The control points of both halves (de Casteljau), the shared middle once. */
function halves(points) {
  const count = points.length, both = new Array(2 * count - 1);
  let row = points;
  for (let i = 0; i < count; i++) {
    both[i] = row[0];
    both[2 * count - 2 - i] = row[row.length - 1];
    const next = new Array(row.length - 1);
    for (let j = 0; j < next.length; j++) {
      next[j] = [(row[j][0] + row[j + 1][0]) / 2, (row[j][1] + row[j + 1][1]) / 2];
    }
    row = next;
  }
  return both;
}

function bernstein(points) {
  const degree = points.length - 1, logFactorial = [0];
  for (let k = 1; k <= degree; k++) logFactorial.push(logFactorial[k - 1] + Math.log(k));
  const line = [points[0]];
  for (let i = 1; i < HIGH_DEGREE_PIECES; i++) {
    const t = i / HIGH_DEGREE_PIECES;
    let x = 0, y = 0, sum = 0;
    for (let k = 0; k <= degree; k++) {
      const choose = logFactorial[degree] - logFactorial[k] - logFactorial[degree - k];
      const weight = Math.exp(choose + k * Math.log(t) + (degree - k) * Math.log1p(-t));
      x += weight * points[k][0]; y += weight * points[k][1]; sum += weight;
    }
    line.push([x / sum, y / sum]);
  }
  line.push(points[degree]);
  return line;
}

/** A clamped uniform B-spline by de Boor's recursion. */
function bspline(points, degree) {
  const count = points.length, spans = count - degree;
  const pieces = Math.max(4, Math.min(BSPLINE_PIECES * spans, Math.floor(MAX_BASIS / count)));
  const knot = (i) => Math.min(Math.max(i - degree, 0), spans) / spans;
  const line = [];
  for (let i = 0; i <= pieces; i++) {
    const t = i / pieces, span = Math.min(Math.floor(t * spans), spans - 1) + degree;
    const d = points.slice(span - degree, span + 1).map((p) => [...p]);
    for (let r = 1; r <= degree; r++) {
      for (let j = degree; j >= r; j--) {
        const low = knot(j + span - degree), high = knot(j + 1 + span - r);
        const a = high > low ? (t - low) / (high - low) : 0;
        d[j] = [d[j - 1][0] + a * (d[j][0] - d[j - 1][0]), d[j - 1][1] + a * (d[j][1] - d[j - 1][1])];
      }
    }
    line.push(d[degree]);
  }
  return line;
}

function catmull(points) {
  const line = [], last = points.length - 1;
  for (let i = 0; i < last; i++) {
    const b = points[i], c = points[i + 1], a = i ? points[i - 1] : b;
    const d = i + 2 <= last ? points[i + 2] : [2 * c[0] - b[0], 2 * c[1] - b[1]];
    for (let k = 0; k < CATMULL_PIECES; k++) {
      const t = k / CATMULL_PIECES;
      line.push([0, 1].map((n) => 0.5 * (2 * b[n] + (c[n] - a[n]) * t
        + (2 * a[n] - 5 * b[n] + 4 * c[n] - d[n]) * t * t + (3 * b[n] - a[n] - 3 * c[n] + d[n]) * t * t * t)));
    }
  }
  line.push(points[last]);
  return line;
}

/** The circle through three points; straight if they are in line, Bezier if the circle is too large. */
function arc(points) {
  if (inLine(points)) return points;
  const [[ax, ay], [bx, by], [cx, cy]] = points;
  const ux = bx - ax, uy = by - ay, vx = cx - ax, vy = cy - ay;
  const cross = ux * vy - uy * vx, u2 = ux * ux + uy * uy, v2 = vx * vx + vy * vy;
  const rx = (vy * u2 - uy * v2) / (2 * cross), ry = (ux * v2 - vx * u2) / (2 * cross);
  const radius = Math.hypot(rx, ry), full = 2 * Math.PI;
  const first = Math.atan2(-ry, -rx);
  let turn = (Math.atan2(vy - ry, vx - rx) - first) % full;
  if (turn < 0) turn += full;
  if (cross < 0) turn -= full; // the middle point lies on the other way round
  const pieces = radius > ARC_TOLERANCE / 2
    ? Math.abs(turn) / (2 * Math.acos(1 - ARC_TOLERANCE / radius)) : 1;
  if (pieces > MAX_ARC_POINTS) return bezier(points);
  const n = Math.max(2, Math.ceil(pieces)), line = [points[0]];
  for (let i = 1; i < n - 1; i++) {
    const angle = first + (turn * i) / (n - 1);
    line.push([ax + rx + radius * Math.cos(angle), ay + ry + radius * Math.sin(angle)]);
  }
  line.push(points[2]);
  return line;
}
