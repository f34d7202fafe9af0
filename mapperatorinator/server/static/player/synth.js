// Hit sounds made from nothing: short synthesised samples of the three sets, and of taiko's drum.

const RATE = 44100;

/** A decaying tone whose pitch falls from `high` to `low` Hz with time constant `fall` s. */
function thump(t, high, low, fall) {
  return Math.sin(2 * Math.PI * (low * t + (high - low) * fall * (1 - Math.exp(-t / fall))));
}

const decay = (t, seconds) => Math.exp(-t / seconds);
const partials = (t, list) => list.reduce((sum, [hz, level, seconds]) => sum + level * Math.sin(2 * Math.PI * hz * t) * decay(t, seconds), 0);
const CYMBAL = [3187, 4211, 5323, 6151, 7459, 8821].map((hz) => [hz, 0.1, 0.22]);

// name: [seconds, (t, noise, high-passed noise) => sample]
const RECIPES = {
  'normal-hitnormal': [0.12, (t, n, h) => 0.75 * thump(t, 900, 420, 0.012) * decay(t, 0.028) + 0.4 * h * decay(t, 0.007)],
  'normal-hitwhistle': [0.28, (t) => 0.34 * partials(t, [[1568, 1, 0.07], [3136, 0.35, 0.05]]) * Math.min(1, t / 0.004)],
  'normal-hitfinish': [0.7, (t, n, h) => 0.32 * h * decay(t, 0.2) + 0.5 * partials(t, CYMBAL)],
  'normal-hitclap': [0.18, (t, n, h) => 0.6 * h * (decay(t, 0.006) + burst(t, 0.011) + burst(t, 0.022) + 0.5 * decay(t, 0.05))],
  'soft-hitnormal': [0.09, (t, n, h) => 0.55 * thump(t, 620, 340, 0.008) * decay(t, 0.018) + 0.18 * h * decay(t, 0.004)],
  'soft-hitwhistle': [0.4, (t) => 0.3 * partials(t, [[1046.5, 0.8, 0.11], [2093, 0.5, 0.09], [3140, 0.15, 0.05]]) * Math.min(1, t / 0.006)],
  'soft-hitfinish': [0.9, (t, n, h) => 0.2 * h * decay(t, 0.28) * Math.min(1, t / 0.004) + 0.3 * partials(t, CYMBAL)],
  'soft-hitclap': [0.12, (t, n, h) => 0.42 * h * decay(t, 0.022) + 0.25 * Math.sin(2 * Math.PI * 1900 * t) * decay(t, 0.009)],
  'drum-hitnormal': [0.16, (t, n, h) => 0.9 * thump(t, 330, 130, 0.02) * decay(t, 0.045) + 0.2 * h * decay(t, 0.004)],
  'drum-hitwhistle': [0.22, (t, n) => 0.8 * thump(t, 420, 240, 0.02) * decay(t, 0.06) + 0.06 * n * decay(t, 0.02)],
  'drum-hitfinish': [0.8, (t, n, h) => 0.5 * thump(t, 160, 70, 0.04) * decay(t, 0.12) + 0.34 * h * decay(t, 0.24)],
  'drum-hitclap': [0.2, (t, n, h) => 0.5 * h * decay(t, 0.05) + 0.5 * thump(t, 520, 190, 0.01) * decay(t, 0.03)],
  'taiko-don': [0.22, (t, n) => thump(t, 240, 84, 0.022) * decay(t, 0.06) + 0.12 * n * decay(t, 0.004)],
  'taiko-kat': [0.12, (t, n, h) => 0.6 * partials(t, [[1180, 0.7, 0.02], [1730, 0.5, 0.014]]) + 0.35 * h * decay(t, 0.006)],
  'taiko-bigdon': [0.45, (t, n) => 1.1 * thump(t, 210, 62, 0.035) * decay(t, 0.12) + 0.15 * n * decay(t, 0.008)],
  'taiko-bigkat': [0.22, (t, n, h) => 0.9 * partials(t, [[990, 0.6, 0.045], [1490, 0.5, 0.03]]) + 0.4 * h * decay(t, 0.012)],
  slidertick: [0.05, (t) => 0.4 * Math.sin(2 * Math.PI * 1500 * t) * decay(t, 0.008)],
};

function burst(t, at) {
  return t < at ? 0 : 0.8 * decay(t - at, 0.005);
}

/** All samples: name -> AudioBuffer. */
export function synthesise(context) {
  const result = new Map();
  for (const [name, [seconds, recipe]] of Object.entries(RECIPES)) {
    const length = Math.round(seconds * RATE), buffer = context.createBuffer(1, length, RATE);
    const data = buffer.getChannelData(0);
    let seed = 12345, last = 0;
    for (let i = 0; i < length; i++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      const noise = seed / 2 ** 31, fade = Math.min(1, (length - i) / (0.1 * length));
      data[i] = recipe(i / RATE, noise, (noise - last) / 1.4) * fade * 0.8;
      last = noise;
    }
    result.set(name, buffer);
  }
  return result;
}
