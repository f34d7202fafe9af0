// A stretch of the map, mapped again k times: listen to each, keep one, or leave it.

import * as api from './api.js';
import {h, fill, toast} from './dom.js';
import {t} from './i18n.js';
import {stageText} from './queue.js';
import {chooseJob, on, state} from './state.js';
import {rangeText} from './wave.js';

const SHORTEST_MS = 500;

export function rerollBar(view) {
  const element = h('div', {class: 'reroll', role: 'group', aria: {label: t('reroll.title')}});
  const count = h('input', {type: 'number', min: 1, max: 16, value: 4, aria: {label: t('reroll.count')}});
  let range = null;
  let job = null;
  let heard = null;

  const show = (next) => {
    range = next && next.end - next.start >= SHORTEST_MS ? next : null;
    draw();
  };
  const reset = () => {
    range = job = heard = null;
    draw();
  };
  const ask = async () => {
    try {
      const body = {map: view.number, start_time: Math.round(range.start), end_time: Math.round(range.end), count: Number(count.value) || 4, seed: Math.floor(Math.random() * 65536)};
      job = await api.post(`/api/jobs/${view.full.id}/reroll`, body);
      state.jobs.set(job.id, {...job, ...state.jobs.get(job.id)});
      draw();
    } catch (error) {
      toast(error.message, 'bad');
    }
  };
  const listen = async (number) => {
    heard = number;
    const path = number === null ? `/api/jobs/${view.full.id}/maps/${view.number}` : `/api/jobs/${job.id}/maps/${number}`;
    const kept = range;
    await view.play(await api.getText(path), true);
    view.chooseRange(kept);
    view.player.seek(Math.max(kept.start - 1000, 0));
    view.player.play();
    draw();
  };
  const keep = async () => {
    const made = await api.post(`/api/jobs/${job.id}/keep`, {choice: heard});
    state.jobs.set(made.id, {...made, ...state.jobs.get(made.id)});
    chooseJob(made.id);
  };
  const button = (label, f, kind = 'small', pressed = undefined) => h('button', {type: 'button', class: kind, aria: {pressed}, onclick: f}, label);

  function draw() {
    const now = job && state.jobs.get(job.id);
    if (!view.full) return fill(element);
    if (!range) return fill(element, h('p', {class: 'dim'}, t('reroll.hint')));
    const text = h('span', {class: 'chip'}, rangeText(range));
    if (now?.state === 'done') {
      const versions = now.result.alternatives.map((one, i) => button(`${i + 1} · ★ ${one.stars.toFixed(2)}`, () => listen(i), 'small', String(heard === i)));
      return fill(element, text, button(t('reroll.original'), () => listen(null), 'small', String(heard === null)), versions,
        button(t('reroll.keep'), () => keep().catch((error) => toast(error.message, 'bad')), heard === null ? 'small' : 'small primary'),
        button(t('reroll.again'), ask));
    }
    if (now?.state === 'running' || now?.state === 'queued') {
      return fill(element, text, h('span', {class: 'dim', role: 'status'}, stageText(now)), h('progress', {max: 1, value: now.done || 0, aria: {label: t('reroll.title')}}),
        button(t('queue.cancel'), () => api.post(`/api/jobs/${job.id}/cancel`)));
    }
    return fill(element, text, now?.error ? h('span', {class: 'bad'}, now.error) : null,
      h('label', {class: 'inline'}, h('span', {}, t('reroll.count')), count), button(t('reroll.start'), ask, 'small primary'),
      button(t('reroll.clear'), () => view.chooseRange(null)));
  }
  const mine = (id) => { if (job && id === job.id) draw(); };
  on('jobs', mine);
  on('progress', mine);
  return {element, show, reset};
}
