// The difficulty colour spectrum that players know, and the names of its levels.

import {state} from './state.js';

const STOPS = [0.1, 1.25, 2, 2.5, 3.3, 4.2, 4.9, 5.8, 6.7, 7.7, 9];
const COLOURS = ['#4290fb', '#4fc0ff', '#4fffd5', '#7cff4f', '#f6f05c', '#ff8068', '#ff4e6f', '#c645b8', '#6563de', '#18158e', '#000000'];

const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** The colour of a star rating, blended as the game does (gamma 2.2). */
export function starColour(stars) {
  if (stars <= STOPS[0]) return COLOURS[0];
  const next = STOPS.findIndex((stop) => stars < stop);
  if (next < 0) return COLOURS.at(-1);
  const share = (stars - STOPS[next - 1]) / (STOPS[next] - STOPS[next - 1]);
  const [a, b] = [parts(COLOURS[next - 1]), parts(COLOURS[next])];
  const mixed = a.map((one, i) => Math.round(((1 - share) * one ** 2.2 + share * b[i] ** 2.2) ** (1 / 2.2)));
  return `rgb(${mixed.join(' ')})`;
}

/** Text on a star's colour: dark on the bright ones. */
export const starInk = (stars) => (stars < 6.5 ? '#10121a' : '#ffd966');

export function levelName(mode, stars) {
  const {stars: edges, names} = state.offer.levels;
  return names[mode][edges.filter((edge) => stars >= edge).length];
}

/** The rest of a spread under its hardest difficulty: one for each level that players expect. */
export function spreadUpTo(top) {
  const steps = [1.6, 2.3, 3.3, 4.6, 5.9].filter((stars) => stars < top - 0.4);
  return [...steps, top];
}
