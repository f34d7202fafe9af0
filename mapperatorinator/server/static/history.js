// Everything that was made: search, favourites, restore, compare, delete; it survives restarts.

import * as api from './api.js';
import {fill, h, icon, toast} from './dom.js';
import {t} from './i18n.js';
import {askedOf, jobTitle, starBadge} from './queue.js';
import {restore} from './result.js';
import {chooseJob, on, state} from './state.js';

const SHOWN = 200;

export function showHistory(root) {
  const search = h('input', {type: 'search', placeholder: t('history.search'), aria: {label: t('history.search')}});
  const only = h('input', {type: 'checkbox'});
  const list = h('ul', {class: 'plain history'});
  const draw = () => {
    const words = search.value.trim().toLowerCase();
    const jobs = [...state.jobs.values()].filter((job) => job.kind === 'generate' && job.state !== 'queued' && job.state !== 'running');
    const wanted = jobs.filter((job) => (!only.checked || job.favourite) && textOf(job).includes(words)).reverse();
    fill(list, wanted.slice(0, SHOWN).map(entry), wanted.length ? null : h('li', {class: 'dim'}, t('history.empty')));
  };
  search.addEventListener('input', draw);
  only.addEventListener('change', draw);
  on('jobs', draw);
  on('songs', draw);
  fill(root, h('div', {class: 'panel'}, h('div', {class: 'panel-head'}, h('h1', {}, t('history.title')), search,
    h('label', {class: 'inline'}, only, h('span', {}, t('history.favourites')))), list));
  draw();
}

const textOf = (job) => `${jobTitle(job)} ${JSON.stringify(job.settings)} ${(job.result?.difficulties || []).map((one) => one.name).join(' ')}`.toLowerCase();

function entry(job) {
  const done = job.state === 'done';
  const show = () => {
    chooseJob(job.id);
    location.hash = '#create';
  };
  const changed = Object.entries(job.settings || {}).map(([name, value]) => `${name}=${value}`).join(' ');
  return h('li', {class: 'entry'},
    h('button', {type: 'button', class: 'square ghost', title: t('result.favourite'), aria: {label: `${t('result.favourite')}: ${jobTitle(job)}`, pressed: String(Boolean(job.favourite))},
      onclick: () => act(() => api.patch(`/api/jobs/${job.id}`, {favourite: !job.favourite}))}, icon('star')),
    h('div', {class: 'grow'},
      h('div', {class: 'job-line'}, h('button', {type: 'button', class: 'link ellipsis', onclick: show}, jobTitle(job)), askedOf(job)),
      h('p', {class: 'dim'}, new Date(job.created * 1000).toLocaleString(), done ? '' : ` · ${t(`state.${job.state}`)}`, job.result?.seed !== undefined && job.result?.seed !== null ? ` · ${t('result.seed')} ${job.result.seed}` : ''),
      changed ? h('p', {class: 'dim recipe'}, changed) : null,
      h('p', {class: 'job-line got'}, (job.result?.difficulties || []).map((one) => h('span', {}, `${one.name} `, starBadge(one.stars))))),
    h('div', {class: 'buttons'},
      h('button', {type: 'button', class: 'small', onclick: show}, t('history.open')),
      h('button', {type: 'button', class: 'small', onclick: () => restore(job, state.songs.get(job.song))}, t('result.settings')),
      h('button', {type: 'button', class: 'small', aria: {label: `${t('queue.remove')}: ${jobTitle(job)}`}, onclick: () => { if (confirm(t('history.sure'))) act(() => api.remove(`/api/jobs/${job.id}`)); }}, icon('close'))));
}

async function act(f) {
  try {
    await f();
  } catch (error) {
    toast(error.message, 'bad');
  }
}
