// The map: it plays while it is drawn; asked and got, findings, a stretch to map again, files, comparison.

import * as api from './api.js';
import {Compare} from './compare.js';
import {clock, fill, h, icon, save, toast} from './dom.js';
import {t} from './i18n.js';
import {askedOf, jobTitle, stageText, starBadge} from './queue.js';
import {rerollBar} from './reroll.js';
import {chooseJob, chooseSong, chosenJob, on, setValues, state} from './state.js';
import {Wave} from './wave.js';

const SEVERITIES = {Problem: 'problem', Warning: 'warning', Minor: 'minor'};

export function resultPanel() {
  return new ResultView().element;
}

class ResultView {
  constructor() {
    this.head = h('div', {class: 'result-head'});
    this.tabs = h('div', {class: 'tabs', role: 'tablist', aria: {label: t('result.difficulties')}});
    this.stage = h('div', {class: 'stage'});
    this.wave = new Wave({label: t('result.wave'), ranged: true, onSeek: (time) => this.player?.seek(time), onRange: (range) => this.chooseRange(range)});
    this.reroll = rerollBar(this);
    this.facts = h('div', {class: 'facts'});
    this.compare = new Compare(this);
    this.body = h('div', {class: 'result-body'}, this.tabs, this.stage, this.wave.element, this.reroll.element, this.compare.element, this.facts);
    this.empty = h('div', {class: 'panel empty'}, h('p', {class: 'dim'}, t('result.empty')));
    this.panel = h('section', {class: 'panel result', aria: {label: t('result.title')}}, this.head, this.body);
    this.element = h('div', {}, this.empty, this.panel);
    this.full = null; // the job with its result
    this.number = 0; // which difficulty
    this.text = '';
    on('chosen', () => this.show());
    on('jobs', (id) => { if (id === undefined || id === state.job) this.show(); });
    on('progress', (id) => { if (id === state.job) this.progress(); });
    on('preview', (id) => { if (id === state.job) this.preview(id); });
    on('quiet', () => this.player?.pause());
    this.show();
  }

  /** Show the chosen job as it is now. */
  async show() {
    const job = chosenJob();
    this.empty.hidden = Boolean(job);
    this.panel.hidden = !job;
    if (!job) return this.player?.pause();
    if (job.kind === 'reroll' || job.kind === 'review') return;
    const changed = this.shown !== `${job.id} ${job.state}`;
    this.shown = `${job.id} ${job.state}`;
    this.drawHead(job);
    if (!changed) return;
    if (this.full?.id !== job.id) this.forget();
    if (job.state === 'done') await this.finished(job.id);
    else if (job.state === 'running') this.preview(job.id);
  }

  forget() {
    Object.assign(this, {full: null, number: 0, text: ''});
    fill(this.tabs);
    fill(this.facts);
    this.reroll.reset();
    this.compare.close();
    this.wave.setRange(null);
    this.wave.show({curve: null, times: [], marks: []});
    this.stage.hidden = this.wave.element.hidden = true;
  }

  drawHead(job) {
    const song = state.songs.get(job.song);
    const done = job.state === 'done';
    const button = (label, f, name, kind = '') => h('button', {type: 'button', class: kind, onclick: () => act(f)}, name ? icon(name) : null, label);
    this.status = h('p', {class: 'dim', role: 'status'}, done ? '' : stageText(job));
    this.bar = job.state === 'running' ? h('progress', {max: 1, value: job.done || 0, aria: {label: t('result.progress')}}) : null;
    fill(this.head,
      h('div', {class: 'job-line'}, h('h2', {class: 'ellipsis'}, jobTitle(job)), askedOf(job)),
      job.error ? h('p', {class: 'bad', role: 'alert'}, job.error) : null, this.status, this.bar,
      h('div', {class: 'buttons'},
        job.state === 'running' || job.state === 'queued' ? button(t('queue.cancel'), () => api.post(`/api/jobs/${job.id}/cancel`), 'close') : null,
        ['failed', 'cancelled', 'interrupted'].includes(job.state) ? button(t('queue.again'), () => api.post(`/api/jobs/${job.id}/again`)) : null,
        done ? button(t('result.download'), () => download(job), 'download', 'primary') : null,
        done ? button(t('result.folder'), () => openFolder(job), 'folder') : null,
        done ? h('button', {type: 'button', class: 'square', title: t('result.favourite'), aria: {label: t('result.favourite'), pressed: String(Boolean(job.favourite))},
          onclick: () => act(() => api.patch(`/api/jobs/${job.id}`, {favourite: !job.favourite}))}, icon('star')) : null,
        done && job.of && job.kept ? button(t('reroll.undo'), () => chooseJob(job.of), 'undo') : null,
        done ? button(t('result.settings'), () => restore(job, song)) : null,
        done ? this.compare.picker(job) : null,
        done ? h('a', {class: 'button', href: '#mod', onclick: () => sessionStorage.setItem('mod', JSON.stringify({song: job.song, of: job.id}))}, t('result.check')) : null));
  }

  progress() {
    const job = chosenJob();
    if (this.status) this.status.textContent = stageText(job);
    if (this.bar) this.bar.value = job.done;
  }

  async preview(id) {
    try {
      const text = await api.getText(`/api/jobs/${id}/preview`);
      if (text && state.job === id && chosenJob().state === 'running') await this.play(text, true);
    } catch { /* nothing is drawn yet */ }
  }

  async finished(id) {
    const job = await api.get(`/api/jobs/${id}`);
    if (state.job !== id) return;
    this.full = job;
    this.number = Math.min(this.number, job.result.difficulties.length - 1);
    this.drawTabs();
    await this.choose(this.number);
    this.reroll.show(null);
  }

  get difficulty() { return this.full?.result.difficulties[this.number] ?? null; }

  drawTabs() {
    const all = this.full.result.difficulties;
    this.tabs.hidden = all.length < 2;
    fill(this.tabs, all.map((one, number) => h('button', {type: 'button', role: 'tab', aria: {selected: String(number === this.number)}, onclick: () => this.choose(number)}, one.name, ' ', starBadge(one.stars))));
  }

  async choose(number) {
    this.number = number;
    [...this.tabs.children].forEach((tab, i) => tab.setAttribute('aria-selected', String(i === number)));
    const {id} = this.full, stale = () => this.full?.id !== id; // another job was chosen in the meantime
    const text = await api.getText(`/api/jobs/${id}/maps/${number}`);
    if (stale()) return;
    await this.play(text, false);
    if (!stale()) this.drawFacts();
  }

  /** Load a map into the player; the song is loaded once. */
  async play(text, sketch) {
    if (this.text === text) return;
    this.text = text;
    this.stage.hidden = this.wave.element.hidden = false;
    const song = state.songs.get((this.full || chosenJob()).song);
    const player = await this.ready();
    const fresh = song && this.songId !== song.id;
    if (fresh) this.songId = song.id;
    const audio = fresh && song.file ? await api.sound(song).catch(() => null) : fresh ? null : undefined;
    await player.load({osu: text, audio});
    if (song) this.wave.show({peaks: song.peaks || [], duration: Math.max(song.duration_ms || 0, 1), lines: song.timing?.lines || []});
    const times = player.map.objects.map((object) => object.time);
    this.wave.show({times, curve: sketch ? null : this.difficulty?.curve, marks: sketch ? [] : this.marks()});
    player.setMarks(sketch ? [] : this.marks().map((mark) => ({time: mark.time, label: mark.label, severity: mark.kind})));
    if (fresh) player.seek(Math.max((times[0] || 0) - 1500, 0));
    this.panel.dataset.objects = times.length;
  }

  marks() {
    return (this.difficulty?.issues || []).filter((issue) => issue.time !== null).map((issue) => ({time: issue.time, kind: SEVERITIES[issue.severity], label: issue.message}));
  }

  async ready() {
    this.loading ??= import('./player/player.js').then(({Player}) => {
      this.player = new Player(this.stage, {t});
      this.player.addEventListener('time', ({detail}) => { this.wave.seek(detail.time); this.compare.follow(); });
      this.player.addEventListener('range', ({detail}) => {
        if (!detail.final) return;
        const range = detail.range && {start: detail.range[0], end: detail.range[1]};
        this.wave.setRange(range);
        this.reroll.show(range);
      });
      for (const type of ['play', 'pause']) this.player.addEventListener(type, () => this.compare.follow(type));
      this.player.addEventListener('warning', ({detail}) => toast(detail.message, 'bad'));
      return this.player;
    });
    return this.loading;
  }

  chooseRange(range) {
    this.wave.setRange(range);
    if (this.player) this.player.range = range && [range.start, range.end];
    this.reroll.show(range);
  }

  drawFacts() {
    const one = this.difficulty;
    const {result} = this.full;
    const row = (label, asked, got) => h('tr', {}, h('th', {scope: 'row'}, label), h('td', {}, asked ?? '–'), h('td', {}, got ?? '–'));
    const values = this.full.settings || {};
    const stats = [['CS', 'circle_size'], ['AR', 'approach_rate'], ['OD', 'overall_difficulty'], ['HP', 'hp_drain_rate']];
    const bpm = result.timing?.lines.length ? Math.round(60000000 / result.timing.lines[0][1]) / 1000 : null;
    const table = h('table', {}, h('caption', {}, t('result.asked_got')),
      h('thead', {}, h('tr', {}, h('td'), h('th', {scope: 'col'}, t('result.asked')), h('th', {scope: 'col'}, t('result.got')))),
      h('tbody', {},
        row(t('ask.stars'), starBadge(one.asked_stars ?? one.stars), starBadge(one.stars)),
        row(t('result.objects'), null, `${one.objects} (${one.objects_per_second ?? '–'}/s)`),
        one.complexity && row(t('result.complexity'), null, t('result.bits', {
          per_second: one.complexity.per_second.toFixed(1), per_note: one.complexity.per_note.toFixed(1),
        })),
        row('BPM', values.bpm, bpm),
        stats.map(([label, name], i) => row(label, values[name], String(Math.round(one.stats[i] * 10) / 10))),
        row(t('result.seed'), values.seed, result.seed)));
    fill(this.facts, table, this.report(one, result), result.notes?.length ? h('div', {class: 'notes'}, result.notes.map((note) => h('p', {class: 'warn'}, note))) : null);
  }

  report(one, result) {
    const issues = [...one.issues, ...(result.set_issues || [])];
    const order = ['Problem', 'Warning', 'Minor'];
    issues.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity) || (a.time ?? -1) - (b.time ?? -1));
    const counts = order.map((name) => [name, issues.filter((issue) => issue.severity === name).length]);
    return h('div', {class: 'report'}, h('h3', {}, t('result.report')),
      h('p', {}, counts.map(([name, count]) => h('span', {class: `tag ${SEVERITIES[name]}`}, `${count} ${t(`severity.${name}`)}`))),
      issues.length ? h('ul', {class: 'plain issues', tabIndex: 0, aria: {label: t('result.report')}}, issues.map((issue) => h('li', {class: SEVERITIES[issue.severity]},
        issue.time === null ? h('span', {class: 'dim'}, t('result.whole')) : h('button', {type: 'button', class: 'link time', onclick: () => this.jump(issue.time)}, clock(issue.time, true)),
        h('span', {}, issue.message)))) : h('p', {class: 'good'}, t('result.clean')));
  }

  jump(time) {
    this.player?.seek(time);
    this.stage.scrollIntoView({block: 'nearest', behavior: 'smooth'});
  }
}

async function download(job) {
  const blob = await api.getBlob(`/api/jobs/${job.id}/osz`);
  save(blob, job.result.osz);
}

async function openFolder(job) {
  const {opened} = await api.post(`/api/jobs/${job.id}/open`);
  if (!opened) toast(t('result.no_folder'), 'bad');
}

export function restore(job, song) {
  setValues(job.settings || {});
  if (song) chooseSong(song.id);
  location.hash = '#create';
  toast(t('result.restored'));
}

async function act(f) {
  try {
    await f();
  } catch (error) {
    toast(error.message, 'bad');
  }
}
