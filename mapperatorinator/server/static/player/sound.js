// Song and hit sounds on one clock: everything is scheduled ahead on the audio hardware's time.

import { Stretch, HOP_SAMPLES } from './stretch.js';
import { synthesise } from './synth.js';

const LEAD = 0.06; // s from `play` to the first sound
const AHEAD = 0.3, AHEAD_HIDDEN = 2.5; // s of sounds that are scheduled; hidden pages get few timer calls
const MARGIN = 0.006; // s from a call to the earliest sound
const PIECE = 40; // hops of stretched song made at once
const TICK = 50; // ms

export class Sound {
  #playing = null; // {context time, position s} at which playing began
  #nodes = new Set();
  #timer = 0;
  #next = 0; // index of the next hit sound to schedule
  #stretch = null;
  #stretched = 0; // context time up to which stretched song is scheduled
  #drift = null; // heard time minus performance time, s
  #position = 0;
  #rate = 1;
  #struck = -Infinity; // ms of the last hit sound that is scheduled

  constructor() {
    this.sounds = [];
    this.song = null;
    this.custom = new Map();
    this.preservesPitch = true;
    this.context = new AudioContext({ latencyHint: 'interactive' });
    this.samples = synthesise(this.context);
    const bus = (level) => {
      const gain = this.context.createGain();
      gain.gain.value = level;
      gain.connect(this.context.destination);
      return gain;
    };
    this.songBus = bus(0.7);
    this.hitBus = bus(0.5);
    this.context.addEventListener('statechange', () => {
      if (!this.#playing || this.#drift === null) return;
      const position = this.#positionAt(performance.now() / 1000 + this.#drift); // by the clock of until now
      this.#drift = null;
      this.seek(position);
    });
  }

  get playing() {
    return this.#playing !== null;
  }

  get rate() {
    return this.#rate;
  }

  set rate(value) {
    const position = this.position;
    this.#rate = value;
    this.seek(position);
  }

  /** What is heard now, in seconds of the song. */
  get position() {
    return this.#playing ? this.#positionAt(this.#heard()) : this.#position;
  }

  /** The AudioBuffer of a file; the bytes cannot be used again. */
  decode(bytes) {
    return this.context.decodeAudioData(bytes);
  }

  play() {
    if (this.#playing) return;
    if (this.context.state !== 'running') this.context.resume().catch(() => {});
    this.#start();
  }

  pause() {
    if (!this.#playing) return;
    this.#position = this.position;
    this.#stop();
  }

  seek(position) {
    const playing = this.playing;
    if (playing) this.#stop();
    this.#position = position;
    if (playing) this.#start();
  }

  /** Takes over new hit sounds while the song plays on; what is scheduled already stays. */
  refresh() {
    this.#next = this.sounds.findIndex((sound) => sound.time > this.#struck);
    if (this.#next < 0) this.#next = this.sounds.length;
  }

  /** Own samples of a map: {"soft-hitclap2.wav": ArrayBuffer}; what cannot be decoded is left out. */
  async useSamples(files) {
    const own = (this.custom = new Map());
    for (const [file, bytes] of Object.entries(files)) {
      const name = /([^/]+)\.(wav|ogg|mp3)$/i.exec(file)?.[1].toLowerCase();
      if (!name || !bytes.byteLength) continue;
      await this.decode(bytes.slice(0)).then((buffer) => own.set(name, buffer), () => {});
    }
  }

  /** Schedules anew from where we are: sounds, song or speed have changed. */
  restart() {
    this.seek(this.position);
  }

  async close() {
    this.#stop();
    await this.context.close();
  }

  /** Context time that leaves the speakers now; smoothed, since the context's own clock moves in steps. */
  #heard() {
    const now = performance.now() / 1000, { context } = this;
    if (context.state !== 'running') return now + (this.#drift ??= context.currentTime - now);
    let drift = context.currentTime - (context.outputLatency || 0) - now;
    const stamp = context.getOutputTimestamp?.();
    if (stamp?.contextTime > 0) {
      const exact = stamp.contextTime - stamp.performanceTime / 1000;
      if (Math.abs(exact - drift) < 0.2) drift = exact;
    }
    const step = this.#drift === null ? Infinity : Math.abs(drift - this.#drift);
    this.#drift = step > 0.05 ? drift : this.#drift + 0.05 * (drift - this.#drift);
    return now + this.#drift;
  }

  #start() {
    const now = this.context.state === 'running' ? this.context.currentTime : this.#heard();
    this.#playing = { at: now + LEAD, position: this.#position };
    const time = this.#position * 1000;
    this.#struck = time - 1;
    this.#next = this.sounds.findIndex((sound) => sound.time >= time - 1);
    if (this.#next < 0) this.#next = this.sounds.length;
    this.#startSong();
    this.#timer = setInterval(() => this.#schedule(), TICK);
    this.#schedule();
  }

  #stop() {
    clearInterval(this.#timer);
    for (const node of this.#nodes) {
      node.onended = null;
      node.stop();
      node.disconnect();
    }
    this.#nodes.clear();
    this.#stretch = this.#playing = null;
  }

  #positionAt(contextTime) {
    const { at, position } = this.#playing;
    return Math.max(position, position + (contextTime - at) * this.#rate);
  }

  #contextTime(position) {
    return this.#playing.at + (position - this.#playing.position) / this.#rate;
  }

  #startSong() {
    const { position } = this.#playing;
    if (!this.song || position >= this.song.duration || this.context.state !== 'running') return;
    const offset = Math.max(0, position), when = this.#contextTime(offset);
    if (this.#rate !== 1 && this.preservesPitch) {
      this.#stretch = new Stretch(this.song, offset, this.#rate);
      this.#stretched = when;
    } else {
      const node = this.#node(this.song, this.songBus);
      node.playbackRate.value = this.#rate;
      this.#begin(node, when, offset);
    }
  }

  #node(buffer, bus) {
    const node = this.context.createBufferSource();
    node.buffer = buffer;
    node.connect(bus);
    node.onended = () => { this.#nodes.delete(node); node.disconnect(); };
    this.#nodes.add(node);
    return node;
  }

  /** Starts `node` at context time `when`; what is too late by then is left out, so that the rest is in time. */
  #begin(node, when, offset) {
    const late = Math.max(0, this.context.currentTime + MARGIN - when);
    if (late < node.buffer.duration) node.start(when + late, offset + late * node.playbackRate.value);
    else node.start(when, node.buffer.duration);
  }

  #schedule() {
    if (this.context.state !== 'running') return;
    const horizon = this.context.currentTime + (document.hidden ? AHEAD_HIDDEN : AHEAD);
    while (this.#stretch && !this.#stretch.done && this.#stretched < horizon) {
      const node = this.#node(this.#stretch.next(this.context, PIECE), this.songBus);
      this.#begin(node, this.#stretched, 0);
      this.#stretched += (PIECE * HOP_SAMPLES) / this.song.sampleRate;
    }
    for (; this.#next < this.sounds.length; this.#next++) {
      const sound = this.sounds[this.#next], when = this.#contextTime(sound.time / 1000);
      if (when > horizon) break;
      this.#struck = sound.time;
      if (when > this.context.currentTime - 0.02) this.#strike(sound, when);
    }
  }

  #strike({ name, index, volume }, when) {
    const own = index > 0 ? this.custom.get(index > 1 ? name + index : name) : null;
    const buffer = own ?? this.samples.get(name);
    if (!buffer || volume <= 0) return;
    const gain = this.context.createGain();
    gain.gain.value = Math.min(volume, 1);
    gain.connect(this.hitBus);
    this.#node(buffer, gain).start(Math.max(when, this.context.currentTime));
  }
}
