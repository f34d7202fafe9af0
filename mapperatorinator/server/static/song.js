// The chosen song: where it is dropped, its waveform and names, and its beat, which can be corrected by ear.

import * as api from './api.js';
import {clock, fill, h, icon, toast} from './dom.js';
import {browseButton} from './drop.js';
import {t} from './i18n.js';
import {chooseSong, chosenSong, on, remember, state, tell} from './state.js';
import {Wave} from './wave.js';

const TAP_PAUSE = 2500;

export function songPanel() {
  const root = h('section', {class: 'panel song', aria: {label: t('song.title')}});
  const draw = () => (chosenSong() ? drawSong(root, chosenSong()) : drawDrop(root));
  on('song', draw);
  on('heard', draw);
  on('songs', (id) => { if (!chosenSong() || id === undefined) draw(); });
  on('uploading', (name) => { root.classList.toggle('busy', Boolean(name)); });
  draw();
  return root;
}

function drawDrop(root) {
  stopSong();
  const recent = [...state.songs.values()].filter((song) => song.state !== 'failed').slice(-5).reverse();
  fill(root,
    h('div', {class: 'drop'}, icon('song'),
      h('h1', {}, t('drop.title')),
      h('p', {class: 'dim'}, t('drop.kinds')),
      browseButton(t('drop.browse'), '', 'primary')),
    recent.length ? h('div', {class: 'recent'}, h('h2', {}, t('drop.recent')),
      h('ul', {class: 'plain'}, recent.map((song) => h('li', {},
        h('button', {type: 'button', class: 'ghost row', onclick: () => chooseSong(song.id)},
          h('span', {class: 'ellipsis'}, songName(song)), h('span', {class: 'dim'}, clock(song.duration_ms || 0))))))) : null);
}

export const songName = (song) => (song.title ? `${song.artist_unicode || song.artist} – ${song.title_unicode || song.title}` : song.name);

function drawSong(root, song) {
  const wave = new Wave({label: t('song.wave'), onSeek: (time) => songSound.seek(time)});
  wave.show({peaks: song.peaks || [], duration: song.duration_ms || 1, lines: song.timing?.lines || []});
  songSound.attach(song, wave);
  const named = h('div', {class: 'names'},
    h('h1', {class: 'ellipsis', title: songName(song)}, song.title_unicode || song.title || song.name),
    h('p', {class: 'dim ellipsis'}, [song.artist_unicode || song.artist, song.duration_ms && clock(song.duration_ms)].filter(Boolean).join(' · ')));
  const head = h('div', {class: 'song-head'}, coverOf(song), named,
    browseButton(t('drop.browse'), '', 'ghost'),
    h('button', {type: 'button', class: 'ghost square', aria: {label: t('song.close')}, title: t('song.close'), onclick: () => chooseSong(null)}, icon('close')));
  fill(root, head,
    song.state === 'failed' ? h('p', {class: 'bad', role: 'alert'}, song.error) : null,
    song.state === 'ready' && !song.file ? h('p', {class: 'warn'}, t('song.missing')) : null,
    song.duration_ms ? wave.element : song.state === 'listening' ? h('div', {class: 'wave-box loading', role: 'status'}, t('song.listening')) : null,
    song.timing ? timingRow(song) : song.state === 'listening' && song.duration_ms ? h('p', {class: 'dim', role: 'status'}, t('song.beat')) : null,
    song.maps?.length ? referenceRow(song) : null);
}

function coverOf(song) {
  if (!song.cover) return h('div', {class: 'cover'}, icon('song'));
  const image = h('img', {class: 'cover', alt: ''});
  api.getBlob(`/api/songs/${song.id}/cover`).then((blob) => { image.src = URL.createObjectURL(blob); }).catch(() => {});
  return image;
}

function referenceRow(song) {
  const options = song.maps.map((map, number) => h('option', {value: number, selected: state.reference === number},
    `${state.offer.modes[map.mode]} · ${map.name} · ${map.stars.toFixed(2)}★`));
  return h('label', {class: 'field'}, h('span', {}, t('song.reference')),
    h('select', {onchange: (event) => {
      state.reference = event.target.value === '' ? null : Number(event.target.value);
      remember();
      tell('values', null);
    }}, h('option', {value: ''}, t('song.no_reference')), options));
}

// The beat

function timingRow(song) {
  const {lines, confidence, error, by_hand: byHand} = song.timing;
  const [time, length] = lines[0] || [0, 500];
  const bpm = number(t('beat.bpm'), Number((60000 / length).toFixed(3)), 10, 1000, 'any', (value) => correct(song, rescaled(lines, 60000 / length / value, time)));
  const offset = number(t('beat.offset'), Math.round(time), -60000, 3600000, 1, (value) => correct(song, shifted(lines, value - time)));
  const percent = Math.round(confidence * 100);
  const sure = byHand ? t('beat.by_hand') : t('beat.sure', {percent});
  const button = (label, title, act) => h('button', {type: 'button', class: 'small', title, aria: {label: title}, onclick: act}, label);
  return h('div', {class: 'beat', role: 'group', aria: {label: t('beat.title')}},
    h('button', {type: 'button', class: 'small square', aria: {label: t('beat.play')}, title: t('beat.play'), onclick: (event) => songSound.toggle(event.currentTarget)}, icon('play')),
    bpm, offset,
    h('span', {class: 'chip', style: '', title: error || ''}, lines.length > 1 ? t('beat.lines', {count: lines.length}) : '', ' ', error ? t('beat.none') : sure),
    h('span', {class: 'meter', aria: {hidden: true}}, meterBar(confidence)),
    h('div', {class: 'buttons'},
      button('×2', t('beat.double'), () => correct(song, rescaled(lines, 0.5, time))),
      button('÷2', t('beat.halve'), () => correct(song, rescaled(lines, 2, time))),
      button('−5 ms', t('beat.earlier'), () => correct(song, shifted(lines, -5))),
      button('+5 ms', t('beat.later'), () => correct(song, shifted(lines, 5))),
      tapButton(song)));
}

function meterBar(share) {
  const bar = h('i');
  bar.style.width = `${Math.round(share * 100)}%`;
  bar.style.background = share > 0.6 ? 'var(--good)' : share > 0.3 ? 'var(--warn)' : 'var(--bad)';
  return bar;
}

function number(label, value, min, max, step, act) {
  return h('label', {class: 'number'}, h('span', {}, label),
    h('input', {type: 'number', value, min, max, step, onchange: (event) => { if (event.target.checkValidity() && event.target.value) act(Number(event.target.value)); }}));
}

const rescaled = (lines, factor, origin) => (lines.length ? lines : [[origin, 500, 4]]).map(([time, length, meter]) => [time, length * factor, meter]);
const shifted = (lines, by) => (lines.length ? lines : [[0, 500, 4]]).map(([time, length, meter]) => [time + by, length, meter]);

async function correct(song, lines) {
  try {
    const changed = await api.put(`/api/songs/${song.id}/timing`, {lines});
    state.songs.set(song.id, changed);
    if (state.song === song.id) tell('heard', changed);
  } catch (error) {
    toast(error.message, 'bad');
  }
}

/** Tap along: the median distance of the taps gives the tempo, their phase the offset. */
function tapButton(song) {
  const button = h('button', {type: 'button', class: 'small', title: t('beat.tap_help')}, t('beat.tap'));
  let taps = [];
  let timer = 0;
  const tap = () => {
    taps.push({at: performance.now(), song: songSound.playing ? songSound.time : null});
    button.textContent = `${t('beat.tap')} ${taps.length}`;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (taps.length >= 4) correct(song, tapped(taps, song.timing.lines));
      button.textContent = t('beat.tap');
      taps = [];
    }, TAP_PAUSE);
  };
  button.addEventListener('click', tap);
  return button;
}

function tapped(taps, lines) {
  const count = taps.length - 1;
  const length = (taps[count].at - taps[0].at) / count;
  const heard = taps.filter((one) => one.song !== null);
  if (!heard.length) return [[lines[0]?.[0] ?? 0, length, 4]];
  const phases = heard.map((one, i) => one.song - i * length).sort((a, b) => a - b);
  const phase = phases[Math.floor(phases.length / 2)];
  return [[Math.round(phase - Math.floor(phase / length) * length), length, 4]];
}

// Hearing the song alone

const songSound = {
  element: null,
  songId: null,
  wave: null,
  attach(song, wave) {
    this.wave = wave;
    if (song.id !== this.songId) stopSong();
    this.song = song;
    if (this.element) wave.seek(this.time);
  },
  get playing() { return Boolean(this.element && !this.element.paused); },
  get time() { return this.element ? this.element.currentTime * 1000 : 0; },
  async ready() {
    if (this.element) return;
    const {song} = this;
    const bytes = await api.sound(song);
    this.songId = song.id;
    this.element = new Audio(URL.createObjectURL(new Blob([bytes])));
    const follow = () => {
      this.wave?.seek(this.time);
      if (this.playing) requestAnimationFrame(follow);
    };
    this.element.addEventListener('play', follow);
    this.element.addEventListener('seeked', follow);
  },
  async seek(time) {
    await this.ready();
    this.element.currentTime = time / 1000;
  },
  async toggle(button) {
    await this.ready();
    if (this.playing) this.element.pause();
    else {
      tell('quiet');
      await this.element.play();
    }
    fill(button, icon(this.playing ? 'pause' : 'play'));
  },
};

function stopSong() {
  if (songSound.element) {
    songSound.element.pause();
    URL.revokeObjectURL(songSound.element.src);
  }
  Object.assign(songSound, {element: null, songId: null});
}

on('playing', () => songSound.element?.pause());
