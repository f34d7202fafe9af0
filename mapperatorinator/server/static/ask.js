// One line that asks: mode, stars on the colour bar, style chips, candidates, one map or a spread; then Start.

import * as api from './api.js';
import {fill, h, icon, setAria, toast} from './dom.js';
import {t, tOr} from './i18n.js';
import {levelName, spreadUpTo, starColour, starInk} from './stars.js';
import {chooseJob, chosenSong, honoured, on, option, setValue, setValues, state, valueOf} from './state.js';

const LEAST = 1, MOST = 9, DEFAULT_STARS = 4;

export function askPanel(more) {
  const root = h('section', {class: 'panel ask', aria: {label: t('ask.title')}});
  const parts = {modes: modePicker(), stars: starPicker(), styles: stylePicker(), amount: amountPicker(), start: startRow()};
  fill(root, parts.modes.element, parts.stars.element, parts.styles.element, parts.amount.element, parts.start.element, more);
  const update = () => Object.values(parts).forEach((part) => part.update());
  for (const kind of ['values', 'song', 'songs', 'heard']) on(kind, update);
  update();
  return root;
}

export const askedMode = () => valueOf('gamemode') ?? chosenSong()?.maps?.[state.reference ?? -1]?.mode ?? 0;
export const askedStars = () => state.values.difficulty ?? DEFAULT_STARS;

function modePicker() {
  const element = h('fieldset', {class: 'segments'}, h('legend', {class: 'sr'}, t('ask.mode')));
  const inputs = state.offer.modes.map((name, mode) => {
    const input = h('input', {type: 'radio', name: 'mode', value: mode, onchange: () => setValue('gamemode', mode)});
    element.append(h('label', {}, input, h('span', {}, name)));
    return input;
  });
  return {element, update: () => inputs.forEach((input, mode) => { input.checked = mode === askedMode(); })};
}

function starPicker() {
  const range = h('input', {type: 'range', class: 'star-range', min: LEAST, max: MOST, step: 0.1, aria: {label: t('ask.stars')},
    oninput: (event) => choose(Number(event.target.value))});
  const number = h('input', {type: 'number', class: 'star-number', min: 0.5, max: 15, step: 0.01, aria: {label: t('ask.stars')},
    onchange: (event) => { if (event.target.checkValidity() && event.target.value) choose(Number(event.target.value)); }});
  const badge = h('span', {class: 'stars'});
  const level = h('span', {class: 'dim level'});
  const choose = (stars) => {
    setValue('difficulty', stars);
    if (valueOf('difficulties').length) setValue('difficulties', spreadUpTo(stars));
  };
  const element = h('div', {class: 'field-row stars-row'}, h('span', {class: 'label'}, t('ask.stars')), range, number, badge, level);
  return {element, update: () => {
    const stars = askedStars();
    range.value = stars;
    if (document.activeElement !== number) number.value = stars;
    badge.textContent = `★ ${stars.toFixed(2)}`;
    badge.style.background = starColour(stars);
    badge.style.color = starInk(stars);
    level.textContent = levelName(askedMode(), stars);
    setAria(range, 'valuetext', `${stars.toFixed(1)} ★ ${level.textContent}`);
  }};
}

/** Chips that go from neutral to wanted to unwanted, where the model can avoid a style. */
function stylePicker() {
  const element = h('div', {class: 'field-row chips', role: 'group', aria: {label: t('ask.styles')}});
  const update = () => {
    const [wanted, unwanted] = [valueOf('descriptors'), valueOf('negative_descriptors')];
    const known = state.offer.styles[valueOf('model')] || [];
    const names = [...known, ...[...wanted, ...unwanted].filter((name) => !known.includes(name))];
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset.name : null;
    fill(element, h('span', {class: 'label'}, t('ask.styles')), names.map((name) => chip(name, wanted, unwanted)));
    if (focused) [...element.querySelectorAll('button')].find((one) => one.dataset.name === focused)?.focus();
  };
  return {element, update};
}

function chip(name, wanted, unwanted) {
  const now = wanted.includes(name) ? 1 : unwanted.includes(name) ? -1 : 0;
  const next = now === 0 ? 1 : now === 1 && honoured('negative_descriptors') ? -1 : 0;
  const text = tOr(`style.${name}`, name);
  const marks = {1: '✓ ', 0: '', [-1]: '✕ '};
  return h('button', {type: 'button', class: `chip ${['no', '', 'yes'][now + 1]}`, data: {name},
    aria: {pressed: now === 1 ? 'true' : now === -1 ? 'mixed' : 'false', label: now === -1 ? t('ask.avoid', {style: text}) : text},
    onclick: () => {
      setValue('descriptors', next === 1 ? [...wanted, name] : wanted.filter((one) => one !== name));
      setValue('negative_descriptors', next === -1 ? [...unwanted, name] : unwanted.filter((one) => one !== name));
    }}, marks[now] + text);
}

function amountPicker() {
  const candidates = h('input', {type: 'number', min: 1, max: option('candidates').high, onchange: (event) => {
    if (event.target.checkValidity()) setValue('candidates', Number(event.target.value));
  }});
  const spread = h('input', {type: 'checkbox', onchange: (event) => setValue('difficulties', event.target.checked ? spreadUpTo(askedStars()) : [])});
  const list = h('input', {type: 'text', class: 'spread', inputMode: 'decimal', aria: {label: t('ask.spread_stars')}, onchange: (event) => {
    const stars = event.target.value.split(/[\s;]+|,\s+|,(?=\d)/).map(Number).filter((one) => one >= 0.5 && one <= 15);
    setValue('difficulties', stars);
  }});
  const preset = h('select', {aria: {label: t('ask.preset')}, onchange: (event) => {
    if (event.target.value) setValues({...keptOf(state.values), ...presets()[event.target.value]});
    event.target.value = '';
  }});
  const element = h('div', {class: 'field-row'},
    h('label', {class: 'inline', title: option('candidates').meaning}, h('span', {class: 'label'}, t('ask.candidates')), candidates),
    h('label', {class: 'inline'}, spread, h('span', {}, t('ask.spread'))), list, h('span', {class: 'grow'}), preset);
  return {element, update: () => {
    candidates.value = valueOf('candidates');
    const stars = valueOf('difficulties');
    spread.checked = stars.length > 0;
    list.hidden = !stars.length;
    if (document.activeElement !== list) list.value = stars.join(' ');
    fill(preset, h('option', {value: ''}, t('ask.preset')), Object.keys(presets()).map((name) => h('option', {value: name}, tOr(`preset.${name}`, name))));
  }};
}

/** Options about the song rather than the style stay when a preset is chosen. */
const STAYS = ['title', 'artist', 'title_unicode', 'artist_unicode', 'creator', 'source', 'tags', 'bpm', 'offset', 'seed'];
const keptOf = (values) => Object.fromEntries(Object.entries(values).filter(([name]) => STAYS.includes(name)));

export function presets() {
  let own = {};
  try { own = JSON.parse(localStorage.getItem('presets') || '{}'); } catch { /* damaged: none */ }
  return {...state.offer.presets, ...own};
}

function startRow() {
  const button = h('button', {type: 'button', id: 'start', class: 'primary big', onclick: start}, icon('play'), t('ask.start'));
  const note = h('p', {class: 'dim', role: 'status'});
  return {element: h('div', {class: 'start'}, button, note), update: () => {
    const song = chosenSong();
    const good = Boolean(song && song.state !== 'failed' && (song.file || song.state === 'listening'));
    button.disabled = !good;
    note.textContent = !song ? t('ask.no_song') : state.songs.get(song.id).state === 'listening' ? t('ask.when_heard') : '';
    const strange = Object.keys(state.values).filter((name) => !honoured(name));
    if (strange.length) note.textContent = t('ask.ignored', {model: valueOf('model'), names: strange.join(', ')});
  }};
}

export async function start() {
  try {
    const job = await api.post('/api/jobs', {song: state.song, settings: state.values, reference: state.reference});
    state.jobs.set(job.id, {...job, ...state.jobs.get(job.id)});
    chooseJob(job.id);
  } catch (error) {
    toast(error.message, 'bad');
  }
}
