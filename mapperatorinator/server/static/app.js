// The page: reads the offer, keeps songs and jobs up to date, shows one of three views.

import * as api from './api.js';
import {showCreate} from './create.js';
import {fill, find, h, toast} from './dom.js';
import {takeFiles} from './drop.js';
import {showHistory} from './history.js';
import {chooseLanguage, language, loadLanguage, t, translate} from './i18n.js';
import {showMod} from './mod.js';
import {recall, remember, state, tell} from './state.js';

const VIEWS = {create: showCreate, mod: showMod, history: showHistory};
const shown = new Set();

function showPage() {
  const name = location.hash.slice(1).split('&')[0] in VIEWS ? location.hash.slice(1).split('&')[0] : 'create';
  for (const page of Object.keys(VIEWS)) {
    find(`#page-${page}`).hidden = page !== name;
    const link = find(`.pages a[href="#${page}"]`);
    if (page === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (!shown.has(name)) {
    shown.add(name);
    VIEWS[name](find(`#page-${name}`));
  }
  document.body.dataset.page = name;
  tell('page', name);
}

function setTheme(choice) {
  const theme = choice || (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');
  document.documentElement.dataset.theme = theme;
}

async function refresh() {
  const [songs, jobs] = await Promise.all([api.get('/api/songs'), api.get('/api/jobs')]);
  state.songs = new Map(songs.map((song) => [song.id, song]));
  state.jobs = new Map(jobs.map((job) => [job.id, job]));
  if (!state.songs.has(state.song)) state.song = null;
  if (!state.jobs.has(state.job)) state.job = null;
  tell('songs');
  tell('jobs');
}

function handle(kind, data) {
  if (kind === 'song') {
    state.songs.set(data.song.id, data.song);
    tell('songs', data.song.id);
    if (data.song.id === state.song) tell('heard', data.song);
  } else if (kind === 'job') {
    const before = state.jobs.get(data.job.id);
    state.jobs.set(data.job.id, {...before, ...data.job});
    tell('jobs', data.job.id);
  } else if (kind === 'progress') {
    const job = state.jobs.get(data.job);
    if (job) Object.assign(job, {stage: data.stage, done: data.done});
    tell('progress', data.job);
  } else if (kind === 'preview') tell('preview', data.job);
  else if (kind === 'removed') {
    state.jobs.delete(data.job);
    if (state.job === data.job) state.job = null;
    tell('jobs', data.job);
  } else if (kind === 'queue') {
    state.paused = data.paused;
    tell('jobs');
  } else if (kind === 'reset') refresh();
}

function online(good, error) {
  const banner = find('#offline');
  banner.hidden = good;
  banner.textContent = error ? t('offline.token') : t('offline.lost');
}

function dropAnywhere() {
  const veil = find('#dropping');
  let depth = 0;
  const carries = (event) => event.dataTransfer?.types.includes('Files');
  addEventListener('dragenter', (event) => { if (carries(event)) { depth += 1; veil.hidden = false; } });
  addEventListener('dragleave', (event) => { if (carries(event) && (depth -= 1) <= 0) veil.hidden = true; });
  addEventListener('dragover', (event) => { if (carries(event)) event.preventDefault(); });
  addEventListener('drop', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    takeFiles(event.dataTransfer).catch((error) => toast(error.message, 'bad'));
  });
}

async function start() {
  setTheme(localStorage.getItem('theme'));
  find('#theme').addEventListener('click', () => {
    const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    localStorage.setItem('theme', next);
    setTheme(next);
    tell('theme');
  });
  try {
    state.offer = await api.get('/api/offer');
  } catch (error) {
    const banner = find('#offline');
    banner.hidden = false;
    await loadLanguage({en: 'English'});
    banner.textContent = error.status === 401 ? t('offline.token') : error.message;
    return;
  }
  state.paused = state.offer.paused;
  await loadLanguage(state.offer.languages);
  const languages = Object.entries(state.offer.languages);
  fill(find('#language'), languages.map(([code, name]) => h('option', {value: code, selected: code === language}, name)));
  find('#language').addEventListener('change', (event) => chooseLanguage(event.target.value));
  recall();
  await refresh();
  remember();
  addEventListener('hashchange', showPage);
  showPage();
  translate(document);
  dropAnywhere();
  document.body.classList.add('ready');
  api.listen(handle, online);
}

start().catch((error) => toast(error.message, 'bad'));
