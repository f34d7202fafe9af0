// A player of beatmaps in all four modes: playfield, song and hit sounds, timeline, keyboard.
//
// new Player(container, {t}); await player.load({osu, audio, samples, background}); player.play().
// Events: 'ready', 'play', 'pause', 'time' ({time}), 'ended', 'range' ({range, final}), 'mark' ({mark}), 'warning'.

import { Beatmap } from './beatmap.js';
import { CatchField } from './catch-field.js';
import { Controls, make } from './controls.js';
import { soundsOf } from './hitsounds.js';
import { ManiaField } from './mania-field.js';
import { OsuField } from './osu-field.js';
import { Sound } from './sound.js';
import { Stage } from './stage.js';
import { clock, speaker } from './strings.js';
import { TaikoField } from './taiko-field.js';
import { Timeline } from './timeline.js';

export { STRINGS } from './strings.js';

const FIELDS = [OsuField, TaikoField, CatchField, ManiaField];
const TAIL = 1500; // ms after the last object at which a map without a song ends
const TIME_EVENTS = 66; // ms between two 'time' events while playing
const RATES = [0.5, 1.5];

export class Player extends EventTarget {
  #sound = new Sound();
  #map = null;
  #range = null;
  #frame = 0;
  #songs = 0;
  #told = 0;
  #dirty = true;

  /** Builds the player inside `container`; `t(key, values)` translates what strings.js lists. */
  constructor(container, { t } = {}) {
    super();
    styles();
    this.say = speaker(t);
    this.#build(container);
    this.#watch();
    this.#frame = requestAnimationFrame(this.#tick);
  }

  /**
   * Shows a map, ready to play; a song that has yet to be decoded joins in, then 'ready' comes. `osu`: text of the
   * file. `audio`: URL, ArrayBuffer, null for no song; left out: song, place, speed and range stay as they are.
   * `samples`: {file name: ArrayBuffer} of own hit sounds. `background`: Blob or URL of a picture.
   */
  async load({ osu, audio, samples, background }) {
    const keep = audio === undefined;
    if (!keep) {
      this.pause();
      this.#sound.song = null;
      this.#sound.seek(0);
      this.range = null;
    }
    this.#show(new Beatmap(osu));
    if (!keep || background) this.stage.picture(background).then(() => { this.#dirty = true; });
    if (!keep || samples) this.#sound.useSamples(samples ?? {});
    if (keep) this.#tell('ready');
    else this.#take(audio, ++this.#songs);
  }

  /** Makes `audio` the song, unless another one has come meanwhile. */
  async #take(audio, number) {
    try {
      const bytes = typeof audio === 'string' ? await fetched(audio) : audio;
      const song = bytes && number === this.#songs ? await this.#sound.decode(bytes) : null;
      if (number !== this.#songs) return;
      this.#sound.song = song;
      this.#sound.restart();
    } catch (error) {
      if (number !== this.#songs) return;
      this.#tell('warning', { message: this.say('player.noAudio'), error });
    }
    this.timeline.strip = null;
    this.#dirty = true;
    this.#tell('ready');
  }

  /** Adds objects that came later: bare lines of [HitObjects] or a whole file; playing goes on. */
  append(osuText) {
    if (!this.#map) return;
    const { mode } = this.#map;
    this.#map.add(osuText);
    if (this.#map.mode === mode) this.stage.field.update();
    this.#show(this.#map, this.#map.mode === mode);
  }

  play() {
    if (!this.#map || this.playing) return;
    if (this.currentTime >= this.duration - 10) this.seek(this.begin);
    this.#sound.play();
    this.controls.playing(true);
    this.#tell('play');
  }

  pause() {
    if (!this.playing) return;
    this.#sound.pause();
    this.controls.playing(false);
    this.#dirty = true;
    this.#tell('pause');
  }

  seek(ms) {
    this.#sound.seek(Math.min(Math.max(ms, this.begin), this.duration) / 1000);
    this.#dirty = true;
    this.#tell('time', { time: this.currentTime });
  }

  get playing() { return this.#sound.playing; }

  get map() { return this.#map; }

  get sound() { return this.#sound; }

  /** Ms of the song that is heard and seen now. */
  get currentTime() { return this.#sound.position * 1000; }

  set currentTime(ms) { this.seek(ms); }

  /** The earliest ms: 0, or before the first object if that is earlier. */
  get begin() {
    const first = this.#map?.objects[0];
    return first ? Math.min(0, first.time - this.#map.preempt) : 0;
  }

  /** The last ms: the end of the song or shortly after the last object. */
  get duration() {
    return Math.max((this.#sound.song?.duration ?? 0) * 1000, (this.#map?.end ?? 0) + TAIL);
  }

  get rate() { return this.#sound.rate; }

  /** Speed, 0.5 to 1.5; the pitch stays unless `preservesPitch` is false. */
  set rate(value) {
    this.#sound.rate = Math.min(Math.max(Math.round(value * 100) / 100, RATES[0]), RATES[1]);
    this.controls.speed(this.rate);
  }

  get preservesPitch() { return this.#sound.preservesPitch; }

  set preservesPitch(value) {
    this.#sound.preservesPitch = value;
    this.#sound.restart();
  }

  get songVolume() { return this.#sound.songBus.gain.value; }

  set songVolume(level) { this.#sound.songBus.gain.value = level; }

  get hitVolume() { return this.#sound.hitBus.gain.value; }

  set hitVolume(level) { this.#sound.hitBus.gain.value = level; }

  /** The selected stretch [start, end] in ms, or null. */
  get range() { return this.#range; }

  set range(range) { this.#select(range, true); }

  /** Shows findings on the timelines: [{time, label, severity: problem | warning | minor}]. */
  setMarks(marks) {
    this.timeline.marks = [...marks].sort((a, b) => a.time - b.time);
    this.#dirty = true;
  }

  destroy() {
    this.#songs++;
    cancelAnimationFrame(this.#frame);
    this.unwatch();
    this.#sound.close();
    this.root.remove();
  }

  #show(map, grown = false) {
    this.#map = map;
    if (!grown) this.stage.show(map, new FIELDS[map.mode](map));
    this.timeline.show(map);
    this.#sound.sounds = soundsOf(map);
    if (this.playing) this.#sound.refresh();
    this.canvas.setAttribute('aria-label', this.say('player.field', { title: `${map.artist} – ${map.title} [${map.difficulty}]`, count: map.objects.length }));
    this.#dirty = true;
  }

  #build(container) {
    const { say } = this;
    this.canvas = make('canvas', { className: 'mp-field', role: 'img' });
    const zoomed = make('canvas', { className: 'mp-timeline', role: 'img', 'aria-label': say('player.timeline') });
    this.overview = make('canvas', { className: 'mp-overview', role: 'slider', tabIndex: 0, 'aria-label': say('player.overview') });
    this.stage = new Stage(this.canvas);
    this.controls = new Controls(say, {
      toggle: () => this.#toggle(),
      rate: (value) => { this.rate = value; },
      song: (level) => { this.songVolume = level; },
      hits: (level) => { this.hitVolume = level; },
      zoom: (factor) => this.#zoom(factor),
      full: () => (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen?.()),
    });
    this.root = make('section', { className: 'mp-player', tabIndex: 0, 'aria-label': say('player.region'), onkeydown: (event) => this.#key(event) },
      make('div', { className: 'mp-stage', onclick: () => this.#toggle() }, this.canvas), zoomed, this.overview, this.controls.element);
    container.append(this.root);
    const player = this;
    this.timeline = new Timeline(zoomed, this.overview, {
      get currentTime() { return player.currentTime; },
      get begin() { return player.begin; },
      get duration() { return player.duration; },
      seek: (ms) => this.seek(ms),
      select: (range, final) => this.#select(range, final),
      mark: (mark) => this.#tell('mark', { mark }),
    });
  }

  #watch() {
    const resized = new ResizeObserver(() => { this.#dirty = true; });
    resized.observe(this.root);
    const theme = () => { this.timeline.theme(); this.#dirty = true; };
    const styled = new MutationObserver(theme), scheme = matchMedia('(prefers-color-scheme: dark)');
    styled.observe(document.documentElement, { attributes: true, attributeFilter: ['class', 'data-theme', 'style'] });
    scheme.addEventListener('change', theme);
    document.addEventListener('load', theme, true); // the style sheet has come
    this.unwatch = () => {
      resized.disconnect();
      styled.disconnect();
      scheme.removeEventListener('change', theme);
      document.removeEventListener('load', theme, true);
    };
  }

  #toggle() {
    if (this.playing) this.pause(); else this.play();
  }

  #zoom(factor) {
    this.timeline.zoomBy(factor);
    this.#dirty = true;
  }

  #select(range, final) {
    const before = this.#range;
    this.#range = range && range[1] > range[0] ? [...range] : null;
    if (!before && !this.#range) return;
    this.timeline.range = this.#range;
    this.#dirty = true;
    this.#tell('range', { range: this.#range, final });
  }

  #key(event) {
    const inside = event.target, step = (n, divisor) => this.#map && this.seek(this.#map.timing.step(this.currentTime, n, divisor));
    if (event.ctrlKey || event.metaKey || event.altKey || inside.tagName === 'INPUT' || (inside.tagName === 'BUTTON' && event.key === ' ')) return;
    const fine = event.shiftKey ? 4 : 1;
    const keys = {
      ' ': () => this.#toggle(),
      ArrowLeft: () => step(-1, fine),
      ArrowRight: () => step(1, fine),
      ArrowUp: () => { this.rate += 0.05; },
      ArrowDown: () => { this.rate -= 0.05; },
      PageUp: () => step(-4, 1),
      PageDown: () => step(4, 1),
      Home: () => this.seek(this.begin),
      End: () => this.seek(this.duration),
      '+': () => this.#zoom(1.4),
      '=': () => this.#zoom(1.4),
      '-': () => this.#zoom(1 / 1.4),
      Escape: () => { this.range = null; },
    };
    if (!keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
  }

  #tick = (now) => {
    this.#frame = requestAnimationFrame(this.#tick);
    if (!this.#map || !(this.playing || this.#dirty) || !this.canvas.clientWidth) return;
    this.#dirty = false;
    const time = this.currentTime;
    this.draw(time);
    if (!this.playing) return;
    if (now - this.#told > TIME_EVENTS) {
      this.#told = now;
      this.#tell('time', { time });
    }
    if (time >= this.duration) {
      this.pause();
      this.#sound.seek(this.duration / 1000);
      this.#tell('ended');
    }
  };

  /** Draws the moment `time` (ms). */
  draw(time) {
    const { duration } = this;
    this.stage.draw(time);
    this.timeline.draw(time);
    this.controls.time(time, duration);
    const second = String(Math.round(time / 1000));
    if (this.overview.getAttribute('aria-valuenow') === second) return;
    this.overview.setAttribute('aria-valuenow', second);
    this.overview.setAttribute('aria-valuemin', Math.round(this.begin / 1000));
    this.overview.setAttribute('aria-valuemax', Math.round(duration / 1000));
    this.overview.setAttribute('aria-valuetext', this.say('player.position', { time: clock(time, false), duration: clock(duration, false) }));
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

/** Adds the style sheet to the page, once. */
function styles() {
  const href = new URL('player.css', import.meta.url).href;
  if ([...document.styleSheets].some((sheet) => sheet.href === href) || document.querySelector(`link[href="${href}"]`)) return;
  document.head.append(make('link', { rel: 'stylesheet', href }));
}
