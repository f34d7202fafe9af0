// Which samples a map plays when: its objects' hit sounds as a list in order of time.

import { TAIKO, CATCH } from './beatmap.js';
import { fallingOf } from './juice.js';

const NAMES = { 1: 'normal', 2: 'soft', 3: 'drum' };
const LENIENCY = 5; // ms after an object in which a timing point still counts for its sounds
const WHISTLE = 2, FINISH = 4, CLAP = 8;

/** The sounds of a map: [{time, name, index, volume 0..1}], in order of time. */
export function soundsOf(map) {
  const sounds = [];
  for (const object of map.objects) {
    if (map.mode === TAIKO) taiko(map, object, sounds);
    else if (object.kind === 'slider') slider(map, object, sounds);
    else if (object.kind !== 'spinner') hit(map, object.time, object.sound, object.sample, sounds);
    else if (map.mode !== CATCH) hit(map, object.end, object.sound, object.sample, sounds);
  }
  if (map.mode === CATCH) {
    for (const { kind, time } of fallingOf(map)) if (kind === 'banana') sounds.push({ time, name: 'slidertick', index: 0, volume: 0.4 });
  }
  const once = new Set(); // the notes of a chord sound as one
  return sounds.sort((a, b) => a.time - b.time).filter(({ time, name, index }) => {
    const key = `${time} ${name} ${index}`;
    return !once.has(key) && once.add(key);
  });
}

function hit(map, time, bits, sample, sounds) {
  const point = map.timing.point(time + LENIENCY);
  const normal = NAMES[sample.normal || point.set || map.sampleSet] ?? 'normal';
  const addition = NAMES[sample.addition] ?? normal;
  const index = sample.index || point.index, volume = (sample.volume || point.volume) / 100;
  const push = (set, name) => sounds.push({ time, name: `${set}-hit${name}`, index, volume });
  push(normal, 'normal');
  if (bits & WHISTLE) push(addition, 'whistle');
  if (bits & FINISH) push(addition, 'finish');
  if (bits & CLAP) push(addition, 'clap');
}

function slider(map, object, sounds) {
  for (let edge = 0; edge <= object.slides; edge++) {
    const [normal, addition] = object.edgeSets[edge] ?? [object.sample.normal, object.sample.addition];
    const sample = { ...object.sample, normal, addition };
    hit(map, object.time + edge * object.span, object.edgeSounds[edge] ?? object.sound, sample, sounds);
  }
  map.sliderTicks(object, (time) => {
    const point = map.timing.point(time + LENIENCY);
    sounds.push({ time, name: 'slidertick', index: 0, volume: point.volume / 100 });
  });
}

function taiko(map, object, sounds) {
  const point = map.timing.point(object.time + LENIENCY);
  const push = (time, bits) => {
    const kat = bits & (WHISTLE | CLAP), big = bits & FINISH;
    const name = `taiko-${big ? 'big' : ''}${kat ? 'kat' : 'don'}`;
    sounds.push({ time, name, index: 0, volume: (object.sample.volume || point.volume) / 100 });
  };
  if (object.kind === 'circle') push(object.time, object.sound);
  else for (const time of rollTimes(map, object)) push(time, object.kind === 'slider' ? object.sound : 0);
}

/** When the autoplayer strikes a drumroll or denden. */
export function rollTimes(map, object) {
  const beat = map.timing.red(object.time).beatLength;
  let step = beat / 4;
  while (step < 60 && step > 0) step *= 2;
  while (step > 125) step /= 2;
  const times = [];
  for (let time = object.time; time <= object.end + 1 && times.length < 5000; time += step) times.push(time);
  return times;
}
