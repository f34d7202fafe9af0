// Stacks of osu!: objects on one spot are drawn apart, up and to the left, as a pile of cards.
//
// The game's rules (osu! source, OsuBeatmapProcessor): since format v6 one pass from the last object back to
// the first, before that one forwards.

const STACK_DISTANCE = 3; // px within which objects count as one pile
const STACK_STEP = 6.4; // px of shift per place in the pile and unit of scale
const near = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 < STACK_DISTANCE ** 2;

/** The scale of objects; 1 stands for a radius of 64 px. */
export const circleScale = (cs) => ((1 - (0.7 * (cs - 5)) / 5) / 2) * 1.00041;

/** The shift of an object in its pile in px, the same for x and y. */
export const stackOffset = (cs, height) => -STACK_STEP * circleScale(cs) * height;

/** Sets `stack` of every object: 0 at the bottom of a pile, negative below the end of a slider. */
export function stack(map) {
  const pile = map.objects.map((object) => {
    const slider = object.kind === 'slider', head = [object.x, object.y];
    object.stack = 0;
    return {
      object, slider, head, tail: slider ? object.path.at(object.length) : head,
      last: slider ? object.endPosition : head, spinner: object.kind === 'spinner',
    };
  });
  const window = map.preempt * map.stackLeniency;
  if (map.version < 6) pile.forEach((_, i) => forwards(pile, i, window));
  else for (let i = pile.length - 1; i >= 0; i--) backwards(pile, i, window);
}

function backwards(pile, i, window) {
  const top = pile[i];
  if (top.object.stack || top.spinner) return;
  if (top.slider) belowSlider(pile, i, window);
  else belowCircle(pile, i, window);
}

function belowSlider(pile, i, window) {
  for (let n = i - 1; n >= 0; n--) {
    if (pile[n].spinner) continue;
    if (pile[i].object.time - pile[n].object.time > window) return;
    if (near(pile[n].last, pile[i].head)) {
      pile[n].object.stack = pile[i].object.stack + 1;
      i = n;
    }
  }
}

function belowCircle(pile, first, window) {
  let i = first;
  for (let n = i - 1; n >= 0; n--) {
    if (pile[n].spinner) continue;
    if (Math.trunc(pile[i].object.time) - Math.trunc(pile[n].object.end) > window) return;
    if (pile[n].slider && near(pile[n].last, pile[i].head)) {
      const shift = pile[i].object.stack - pile[n].object.stack + 1;
      for (let j = n + 1; j <= first; j++) if (near(pile[n].last, pile[j].head)) pile[j].object.stack -= shift;
      return;
    }
    if (near(pile[n].head, pile[i].head)) {
      pile[n].object.stack = pile[i].object.stack + 1;
      i = n;
    }
  }
}

function forwards(pile, i, window) {
  const { object, head, tail, slider } = pile[i];
  if (object.stack && !slider) return;
  let end = object.end, sunk = 0;
  for (let j = i + 1; j < pile.length; j++) {
    if (pile[j].object.time - window > end) return;
    if (near(pile[j].head, head)) {
      object.stack += 1;
      end = pile[j].object.time;
    } else if (near(pile[j].head, tail)) {
      sunk += 1;
      pile[j].object.stack -= sunk;
      end = pile[j].object.time;
    }
  }
}
