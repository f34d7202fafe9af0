// What the page knows: the offer, songs and jobs, the form; the form and the chosen song survive a reload.

const KEY = 'form';

export const state = {
  offer: null,
  songs: new Map(),
  jobs: new Map(),
  song: null, // id
  job: null, // id of the shown result
  values: {}, // options that differ from their defaults
  reference: null,
  paused: false,
};

const listeners = new Map();

/** Call f whenever something of this kind changes; returns a function that ends it. */
export function on(kind, f) {
  if (!listeners.has(kind)) listeners.set(kind, new Set());
  listeners.get(kind).add(f);
  return () => listeners.get(kind).delete(f);
}

export function tell(kind, value) {
  for (const f of [...(listeners.get(kind) || [])]) f(value);
}

export function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) || '{}');
    Object.assign(state, {values: kept.values || {}, song: kept.song ?? null, job: kept.job ?? null, reference: kept.reference ?? null});
  } catch { /* a damaged memory is no memory */ }
}

export function remember() {
  const {values, song, job, reference} = state;
  localStorage.setItem(KEY, JSON.stringify({values, song, job, reference}));
}

export const option = (name) => state.offer.options.find((one) => one.name === name);

export function valueOf(name) {
  return name in state.values ? state.values[name] : option(name)?.default;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Set an option; its default, null or an empty list takes it out of the form. */
export function setValue(name, value) {
  const unset = value === null || value === undefined || value === '' || same(value, option(name)?.default);
  if (unset) delete state.values[name];
  else state.values[name] = value;
  remember();
  tell('values', name);
}

export function setValues(values) {
  const known = new Set(state.offer.options.map((one) => one.name));
  state.values = Object.fromEntries(Object.entries(values).filter(([name, value]) => known.has(name) && value !== null));
  remember();
  tell('values', null);
}

/** Whether the chosen model looks at an option. */
export const honoured = (name) => option(name)?.models.includes(valueOf('model')) ?? false;

export const chosenSong = () => state.songs.get(state.song) || null;
export const chosenJob = () => state.jobs.get(state.job) || null;

export function chooseSong(id) {
  state.song = id;
  state.reference = null;
  remember();
  tell('song', id);
}

export function chooseJob(id) {
  state.job = id;
  remember();
  tell('chosen', id);
}
