// MaiMod: what would surprise a mapper in a finished map, and what breaks the rules; nothing is ever changed.

import * as api from './api.js';
import {clock, fill, h, save, toast} from './dom.js';
import {browseButton} from './drop.js';
import {t, tOr} from './i18n.js';
import {stageText} from './queue.js';
import {songName} from './song.js';
import {on, state} from './state.js';

const LANE = 22, LABELS = 150, NARROW = 560;
const GRAVITY = {Problem: 12, Warning: 4, Minor: 1};
const LEAST = [['all', 0], ['3', 3], ['4', 4], ['8', 8], ['12', 12]];
const TOPICS = ['Timing points', 'Snapping and rhythm', 'Missing objects', 'Extra objects', 'Positions and new combos', 'Slider shapes', 'Hitsounds and volumes', 'Ranking criteria'];
const KEY = 'ignored';

export function showMod(root) {
  new ModView(root);
}

const weightOf = (one) => (one.severity ? GRAVITY[one.severity] : one.surprisal || 0);
const kindOf = (one) => (one.severity ? one.severity.toLowerCase() : 'surprise');
const nameOf = (one) => `${one.difficulty}|${one.time}|${one.category}|${one.message}`;

class ModView {
  constructor(root) {
    Object.assign(this, {song: null, of: null, job: null, reports: [], number: 0, off: new Set(), least: 0, by: 'time', showIgnored: false});
    this.ignored = new Set(JSON.parse(localStorage.getItem(KEY) || '[]'));
    this.choice = h('div', {class: 'field-row'});
    this.status = h('p', {class: 'dim', role: 'status'});
    this.stage = h('div', {class: 'stage', hidden: true});
    this.lanes = h('canvas', {class: 'lanes', hidden: true, role: 'img', aria: {label: t('mod.lanes')}});
    this.filters = h('div', {class: 'panel-head'});
    this.list = h('div', {class: 'findings', tabIndex: 0, aria: {label: t('mod.title')}});
    fill(root, h('div', {class: 'mod'},
      h('section', {class: 'panel'}, h('h1', {}, t('mod.title')), h('p', {class: 'dim'}, t('mod.intro')), this.choice, this.status, this.stage, this.lanes),
      h('section', {class: 'panel'}, this.filters, this.list)));
    this.lanes.addEventListener('click', (event) => this.pick(event));
    new ResizeObserver(() => this.paint()).observe(this.lanes);
    on('songs', () => this.drawChoice());
    on('jobs', (id) => { if (id === this.job) this.follow(); });
    on('progress', (id) => { if (id === this.job) this.status.textContent = stageText(state.jobs.get(id)); });
    on('page', (name) => { if (name === 'mod') this.arrive(); else this.player?.pause(); });
    on('song', (id) => { if (document.body.dataset.page === 'mod' && id) this.choose(id, null); });
    on('theme', () => this.paint());
    this.drawChoice();
    this.drawFilters();
    this.arrive();
  }

  /** Come from a result: check it at once. */
  arrive() {
    const wanted = sessionStorage.getItem('mod');
    if (!wanted) return;
    sessionStorage.removeItem('mod');
    const {song, of} = JSON.parse(wanted);
    this.choose(song, of);
    this.start();
  }

  choose(song, of) {
    Object.assign(this, {song, of});
    this.drawChoice();
  }

  /** What may be checked: songs that came with maps, and our own results. */
  drawChoice() {
    const songs = [...state.songs.values()].filter((song) => song.maps?.length || song.id === this.song).reverse();
    const results = [...state.jobs.values()].filter((job) => job.kind === 'generate' && job.state === 'done').reverse().slice(0, 50);
    const options = [
      ...songs.filter((song) => song.maps?.length).map((song) => [`${song.id}/`, songName(song)]),
      ...results.map((job) => [`${job.song}/${job.id}`, `${state.songs.has(job.song) ? songName(state.songs.get(job.song)) : ''} [${job.result.difficulties.map((one) => one.name).join(', ')}]`]),
    ];
    const chosen = this.song ? `${this.song}/${this.of || ''}` : '';
    const select = h('select', {aria: {label: t('mod.choose')}, onchange: () => {
      const [song, of] = select.value.split('/');
      this.choose(song || null, of || null);
    }}, h('option', {value: ''}, t('mod.choose')), options.map(([value, label]) => h('option', {value, selected: value === chosen}, label)));
    const ready = options.some(([value]) => value === chosen);
    fill(this.choice, browseButton(t('drop.browse'), '.osz,.osu'), h('span', {class: 'grow'}, select),
      h('button', {type: 'button', class: 'primary', disabled: !ready, onclick: () => this.start()}, t('mod.start')));
  }

  async start() {
    try {
      const job = await api.post('/api/reviews', {song: this.song, of: this.of});
      state.jobs.set(job.id, {...job, ...state.jobs.get(job.id)});
      this.job = job.id;
      this.status.textContent = t('mod.wait');
    } catch (error) {
      toast(error.message, 'bad');
    }
  }

  async follow() {
    const job = state.jobs.get(this.job);
    if (!job) return;
    this.status.textContent = job.state === 'done' ? '' : job.error || stageText(job);
    if (job.state !== 'done') return;
    const {result} = await api.get(`/api/jobs/${job.id}`);
    this.reports = result.reports;
    this.checked = {song: job.song, of: job.of};
    this.number = 0;
    await this.show();
  }

  async show() {
    const {song, of} = this.checked;
    const path = of ? `/api/jobs/${of}/maps/${this.number}` : `/api/songs/${song}/maps/${this.number}`;
    this.drawFilters();
    this.drawList();
    this.stage.hidden = this.lanes.hidden = false;
    try {
      const text = await api.getText(path);
      if (!this.player) {
        const {Player} = await import('./player/player.js');
        this.player = new Player(this.stage, {t});
        this.player.addEventListener('time', () => this.paint());
        this.player.addEventListener('mark', ({detail}) => this.point(detail.mark.finding));
      }
      const known = state.songs.get(song);
      const fresh = this.playing !== song;
      this.playing = song;
      await this.player.load({osu: text, audio: fresh ? (known?.file ? await api.sound(known).catch(() => null) : null) : undefined});
      this.markAll();
    } catch (error) {
      toast(error.message, 'bad');
    }
    this.paint();
  }

  get report() { return this.reports[this.number] || null; }

  /** Findings that pass the filters, in the chosen order. */
  get wanted() {
    const passing = (this.report?.suggestions || []).filter((one) => !this.off.has(one.category) && weightOf(one) >= this.least && (this.showIgnored || !this.ignored.has(nameOf(one))));
    return this.by === 'time' ? passing : [...passing].sort((a, b) => weightOf(b) - weightOf(a));
  }

  get kinds() {
    const there = new Set((this.report?.suggestions || []).map((one) => one.category));
    return [...TOPICS.filter((kind) => there.delete(kind)), ...there];
  }

  drawFilters() {
    const refresh = () => { this.drawFilters(); this.drawList(); this.markAll(); this.paint(); };
    const difficulty = this.reports.length > 1 ? h('select', {aria: {label: t('mod.difficulty')}, onchange: (event) => {
      this.number = Number(event.target.value);
      this.show();
    }}, this.reports.map((one, i) => h('option', {value: i, selected: i === this.number}, `${state.offer.modes[one.mode]} · ${one.title}`))) : null;
    const chips = this.kinds.map((kind) => h('button', {type: 'button', class: 'chip', aria: {pressed: String(!this.off.has(kind))}, onclick: () => {
      if (!this.off.delete(kind)) this.off.add(kind);
      refresh();
    }}, tOr(`topic.${kind}`, kind)));
    const least = h('select', {onchange: (event) => { this.least = Number(event.target.value); refresh(); }},
      LEAST.map(([name, value]) => h('option', {value, selected: value === this.least}, name === 'all' ? t('mod.all') : t('mod.bits', {bits: name}))));
    const sort = h('select', {onchange: (event) => { this.by = event.target.value; refresh(); }},
      h('option', {value: 'time', selected: this.by === 'time'}, t('mod.by_time')), h('option', {value: 'weight', selected: this.by === 'weight'}, t('mod.by_weight')));
    const hidden = (this.report?.suggestions || []).filter((one) => this.ignored.has(nameOf(one))).length;
    fill(this.filters, h('h2', {}, this.report ? t('mod.count', {count: this.wanted.length}) : t('mod.title')), difficulty,
      this.report ? h('div', {class: 'field-row chips', role: 'group', aria: {label: t('mod.kinds')}}, chips) : null,
      this.report ? h('div', {class: 'field-row'}, h('label', {class: 'inline'}, t('mod.least'), least), h('label', {class: 'inline'}, t('mod.sort'), sort),
        hidden ? h('button', {type: 'button', class: 'small', aria: {pressed: String(this.showIgnored)}, onclick: () => { this.showIgnored = !this.showIgnored; refresh(); }}, t('mod.ignored', {count: hidden})) : null,
        h('button', {type: 'button', class: 'small', onclick: () => this.exportText()}, t('mod.export'))) : null);
  }

  drawList() {
    const {wanted} = this;
    this.items = new Map();
    const rhythm = this.report?.complexity;
    fill(this.list, rhythm && h('p', {class: 'dim'}, `${t('result.complexity')}: ${t('result.bits', rhythm)}`), (this.report?.notes || []).map((note) => h('p', {class: 'warn'}, note)),
      this.report && !wanted.length ? h('p', {class: 'good'}, t('mod.none')) : null, wanted.map((one) => {
        const item = this.finding(one);
        this.items.set(one, item);
        return item;
      }));
  }

  finding(one) {
    const gone = this.ignored.has(nameOf(one));
    const weight = one.severity ? t(`grade.${one.severity}`) : t('mod.bits', {bits: one.surprisal.toFixed(1)});
    return h('article', {class: `finding ${kindOf(one)}`},
      h('div', {class: 'job-line'},
        one.time === null ? h('span', {class: 'dim'}, t('result.whole')) : h('button', {type: 'button', class: 'link time', onclick: () => this.jump(one)}, one.timestamp || clock(one.time, true)),
        h('span', {class: 'dim'}, `${tOr(`topic.${one.category}`, one.category)} · ${weight}`),
        h('button', {type: 'button', class: 'small', onclick: () => this.ignore(one, gone)}, gone ? t('mod.unignore') : t('mod.ignore'))),
      h('p', {}, one.message));
  }

  ignore(one, gone) {
    if (gone) this.ignored.delete(nameOf(one));
    else this.ignored.add(nameOf(one));
    localStorage.setItem(KEY, JSON.stringify([...this.ignored].slice(-2000)));
    this.drawFilters();
    this.drawList();
    this.markAll();
    this.paint();
  }

  jump(one) {
    this.player?.seek(Math.max(one.time - 500, 0));
    this.point(one);
    this.paint();
  }

  /** Bring a finding into view in the list. */
  point(one) {
    for (const [other, item] of this.items) {
      if (other === one) item.setAttribute('aria-current', 'true');
      else item.removeAttribute('aria-current');
    }
    this.items.get(one)?.scrollIntoView({block: 'nearest'});
  }

  markAll() {
    const severity = {problem: 'problem', warning: 'warning', minor: 'minor', surprise: 'warning'};
    this.player?.setMarks(this.wanted.filter((one) => one.time !== null).map((one) => ({time: one.time, label: one.message, severity: severity[kindOf(one)], finding: one})));
  }

  // the lanes

  paint() {
    if (this.pending || !this.report || this.lanes.hidden) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.drawLanes();
    });
  }

  drawLanes() {
    const {kinds, wanted, lanes} = this;
    const width = lanes.clientWidth;
    const height = Math.max(1, kinds.length) * LANE + 4;
    const scale = devicePixelRatio || 1;
    lanes.style.height = `${height}px`;
    lanes.width = Math.round(width * scale);
    lanes.height = Math.round(height * scale);
    const pen = lanes.getContext('2d');
    const style = getComputedStyle(lanes);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.left = width < NARROW ? 4 : LABELS;
    const x = this.across(width);
    pen.font = '12px system-ui, sans-serif';
    pen.textBaseline = 'middle';
    kinds.forEach((kind, lane) => {
      pen.fillStyle = colour('line');
      pen.fillRect(this.left, lane * LANE + LANE / 2 + 2, width - this.left - 4, 1);
      pen.fillStyle = this.off.has(kind) ? colour('line') : colour('ink-dim');
      if (this.left > 4) pen.fillText(tOr(`topic.${kind}`, kind), 8, lane * LANE + LANE / 2 + 2, LABELS - 14);
    });
    for (const one of wanted) {
      if (one.time === null) continue;
      const tall = 4 + Math.min(weightOf(one), 12) * 0.55;
      pen.fillStyle = colour(kindOf(one) === 'surprise' ? 'accent' : kindOf(one));
      const from = x(one.time);
      const wide = Math.max(3, x(one.end_time ?? one.time) - from);
      pen.fillRect(from - 1, kinds.indexOf(one.category) * LANE + LANE / 2 + 2 - tall, wide, tall * 2);
    }
    pen.fillStyle = colour('ink');
    pen.fillRect(x(this.player?.currentTime || 0), 0, 1.5, height);
  }

  across(width) {
    const duration = Math.max(this.player?.duration || 0, ...(this.report?.suggestions || []).map((one) => one.time || 0), 1);
    return (time) => this.left + (time / duration) * (width - this.left - 8);
  }

  pick(event) {
    const box = this.lanes.getBoundingClientRect();
    const x = this.across(box.width);
    const kind = this.kinds[Math.floor((event.clientY - box.top) / LANE)];
    const near = this.wanted.filter((one) => one.time !== null && one.category === kind)
      .map((one) => [Math.abs(x(one.time) - (event.clientX - box.left)), one]).sort((a, b) => a[0] - b[0])[0];
    if (near && near[0] < 12) this.jump(near[1]);
  }

  exportText() {
    const lines = [this.report.title, ''];
    for (const one of this.wanted) lines.push(`${one.link ? `${one.link} ` : ''}${one.time === null ? '' : `${one.timestamp || clock(one.time, true)} `}${one.message}`);
    save(new Blob([`${lines.join('\n')}\n`], {type: 'text/plain'}), 'modding.txt');
  }
}
