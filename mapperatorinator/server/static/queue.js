// Jobs that wait, run, or went wrong: order, pause, progress with the time that is left, cancel, log.

import * as api from './api.js';
import {fill, h, icon, toast} from './dom.js';
import {t, tOr} from './i18n.js';
import {songName} from './song.js';
import {starColour, starInk} from './stars.js';
import {chooseJob, on, state} from './state.js';

const SHOWN_FAILURES = 4;

export function queuePanel() {
  const root = h('section', {class: 'panel queue', aria: {label: t('queue.title')}});
  const cards = new Map();
  const draw = () => {
    const open = [...state.jobs.values()].filter((job) => job.state === 'queued' || job.state === 'running');
    open.sort((a, b) => (a.state === 'running' ? -1 : a.position) - (b.state === 'running' ? -1 : b.position));
    const failed = [...state.jobs.values()].filter((job) => job.state === 'failed' || job.state === 'interrupted').slice(-SHOWN_FAILURES);
    root.hidden = !open.length && !failed.length;
    cards.clear();
    const card = (job) => {
      const made = jobCard(job, open);
      cards.set(job.id, made);
      return made.element;
    };
    fill(root, h('div', {class: 'panel-head'}, h('h2', {}, t('queue.title')), open.length ? h('span', {class: 'count'}, String(open.length)) : null, pauseButton()),
      h('ol', {class: 'plain'}, open.map(card), failed.map(card)));
  };
  on('jobs', draw);
  on('progress', (id) => cards.get(id)?.update(state.jobs.get(id)));
  draw();
  return root;
}

const pauseButton = () => h('button', {type: 'button', class: 'small', onclick: () => act(() => api.post('/api/queue', {paused: !state.paused}))}, state.paused ? t('queue.resume') : t('queue.pause'));

export const jobTitle = (job) => {
  const song = state.songs.get(job.song);
  return job.label || (song ? songName(song) : t('queue.gone'));
};

/** What was asked, as a coloured badge and words. */
export function askedOf(job) {
  if (job.kind !== 'generate') return h('span', {class: 'dim'}, t(`job.${job.kind}`));
  const {gamemode = 0, difficulty = 4, difficulties = []} = job.settings || {};
  const ratings = difficulties.length ? difficulties : [difficulty];
  return h('span', {class: 'asked'}, h('span', {class: 'dim'}, state.offer.modes[gamemode ?? 0]), ratings.map((stars) => starBadge(stars)));
}

export function starBadge(stars) {
  const badge = h('span', {class: 'stars'}, `★ ${Number(stars).toFixed(2)}`);
  badge.style.background = starColour(stars);
  badge.style.color = starInk(stars);
  return badge;
}

function jobCard(job, open) {
  const bar = h('progress', {max: 1, value: job.done || 0, aria: {label: jobTitle(job)}});
  const stage = h('span', {class: 'dim ellipsis'});
  const began = performance.now();
  const update = (now) => {
    bar.value = now.done || 0;
    stage.textContent = stageText(now, began);
  };
  const running = job.state === 'running';
  const waiting = job.state === 'queued';
  const button = (label, f, name) => h('button', {type: 'button', class: 'small', aria: {label: `${label}: ${jobTitle(job)}`}, title: label, onclick: () => act(f)}, name ? icon(name) : label);
  const index = open.indexOf(job);
  const element = h('li', {class: `job ${job.state}`},
    h('div', {class: 'job-line'}, h('button', {type: 'button', class: 'link ellipsis', onclick: () => chooseJob(job.id)}, jobTitle(job)), askedOf(job)),
    running ? bar : null,
    job.error ? h('p', {class: 'bad'}, job.error) : null,
    h('div', {class: 'job-line'}, stage, h('span', {class: 'buttons'},
      waiting && index > 0 && open[index - 1].state === 'queued' ? button(t('queue.up'), () => api.post(`/api/jobs/${job.id}/move`, {before: open[index - 1].id}), 'up') : null,
      waiting && index < open.length - 1 ? button(t('queue.down'), () => api.post(`/api/jobs/${open[index + 1].id}/move`, {before: job.id}), 'down') : null,
      running || waiting ? button(t('queue.cancel'), () => api.post(`/api/jobs/${job.id}/cancel`)) : null,
      !running && !waiting ? button(job.state === 'interrupted' ? t('queue.go_on') : t('queue.again'), () => api.post(`/api/jobs/${job.id}/again`)) : null,
      !running && !waiting ? button(t('queue.remove'), () => api.remove(`/api/jobs/${job.id}`), 'close') : null)),
    waiting ? null : logOf(job));
  update(job);
  return {element, update};
}

/** The stage, and the seconds that are left as far as the progress tells. */
export function stageText(job) {
  if (job.state === 'queued') return t('queue.waiting');
  if (job.state !== 'running') return t(`state.${job.state}`);
  const spent = Date.now() / 1000 - (job.started || Date.now() / 1000);
  const left = job.done > 0.2 && spent > 1 ? Math.ceil((spent * (1 - job.done)) / job.done) : null;
  const stage = translatedStage(job.stage || '');
  return left ? `${stage} · ${t('queue.left', {seconds: left})}` : stage;
}

function translatedStage(stage) {
  const [first, ...rest] = stage.split(' ');
  if (first === 'Mapping') return t('stage.mapping', {name: rest.join(' ')});
  return tOr(`stage.${stage}`, stage);
}

function logOf(job) {
  const text = h('pre', {class: 'log', tabIndex: 0});
  return h('details', {ontoggle: async (event) => {
    if (event.target.open) text.textContent = (await api.get(`/api/jobs/${job.id}/log`)).join('\n') || '–';
  }}, h('summary', {class: 'dim'}, t('queue.log')), text);
}

async function act(f) {
  try {
    await f();
  } catch (error) {
    toast(error.message, 'bad');
  }
}
