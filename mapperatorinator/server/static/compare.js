// Two results side by side on one clock: the second player follows the first, one of them is heard.

import * as api from './api.js';
import {fill, h} from './dom.js';
import {t} from './i18n.js';
import {jobTitle, starBadge} from './queue.js';
import {state} from './state.js';

const DRIFT_MS = 40;

export class Compare {
  constructor(view) {
    this.view = view;
    this.stage = h('div', {class: 'stage'});
    this.name = h('div', {class: 'job-line'});
    this.element = h('div', {class: 'compare', hidden: true}, this.name, this.stage);
  }

  /** A list of other results of the same song to compare with. */
  picker(job) {
    const others = [...state.jobs.values()].filter((one) => one.id !== job.id && one.state === 'done' && one.kind === 'generate' && one.song === job.song);
    if (!others.length) return null;
    const choices = others.reverse().flatMap((one) => (one.result?.difficulties || []).map((map) => h('option', {value: `${one.id}/${map.map}`}, `${map.name} ★ ${map.stars.toFixed(2)} · ${new Date(one.created * 1000).toLocaleTimeString()}`)));
    return h('select', {aria: {label: t('compare.with')}, onchange: (event) => (event.target.value ? this.open(event.target.value) : this.close())},
      h('option', {value: ''}, t('compare.with')), choices);
  }

  async open(choice) {
    const [id, number] = choice.split('/');
    const text = await api.getText(`/api/jobs/${id}/maps/${number}`);
    const {Player} = await import('./player/player.js');
    this.element.hidden = false;
    if (!this.player) {
      this.player = new Player(this.stage, {t});
      this.player.addEventListener('play', () => this.view.player.play());
      this.player.addEventListener('pause', () => { if (!this.following) this.view.player.pause(); });
    }
    await this.player.load({osu: text, audio: null});
    this.player.songVolume = 0;
    this.hear(false);
    const job = state.jobs.get(id);
    const map = job.result.difficulties[number];
    const toggle = h('button', {type: 'button', class: 'small', aria: {pressed: 'false'}, onclick: () => {
      const other = toggle.getAttribute('aria-pressed') !== 'true';
      toggle.setAttribute('aria-pressed', String(other));
      this.hear(other);
    }}, t('compare.hear'));
    fill(this.name, h('span', {class: 'ellipsis'}, `${jobTitle(job)} [${map.name}]`), starBadge(map.stars), toggle,
      h('button', {type: 'button', class: 'small', onclick: () => this.close()}, t('compare.close')));
    this.follow();
  }

  hear(other) {
    this.player.hitVolume = other ? 0.5 : 0;
    this.view.player.hitVolume = other ? 0 : 0.5;
  }

  /** Do what the first player does. */
  follow(type) {
    if (!this.player || this.element.hidden) return;
    const {player: first} = this.view;
    this.following = true;
    if (this.player.rate !== first.rate) this.player.rate = first.rate;
    if (type || Math.abs(this.player.currentTime - first.currentTime) > DRIFT_MS) this.player.seek(first.currentTime);
    if (first.playing && !this.player.playing) this.player.play();
    if (!first.playing && this.player.playing) this.player.pause();
    this.following = false;
  }

  close() {
    if (this.element.hidden) return;
    this.hear(false);
    this.player.destroy();
    this.player = null;
    this.element.hidden = true;
  }
}
