// A song as a picture: waveform, red lines, difficulty and density, a playhead, a stretch that can be dragged.

import {clock, h} from './dom.js';
import {t} from './i18n.js';
import {on} from './state.js';

const HANDLE = 6; // px around an edge that grab it

export class Wave {
  /** onSeek(ms), onRange({start, end} | null); `ranged` allows dragging a stretch. */
  constructor({onSeek, onRange, label, ranged = false}) {
    Object.assign(this, {onSeek, onRange, ranged});
    this.data = {peaks: [], duration: 1, lines: [], curve: null, times: [], marks: []};
    this.time = 0;
    this.range = null;
    this.canvas = h('canvas', {class: 'wave', tabIndex: 0, role: 'slider',
      aria: {label, valuemin: 0, valuemax: 0, valuenow: 0}});
    this.element = h('div', {class: 'wave-box'}, this.canvas);
    this.canvas.addEventListener('pointerdown', (event) => this.#press(event));
    this.canvas.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(this.element);
    on('theme', () => this.draw());
  }

  /** Show other data: peaks 0..255, duration ms, lines [[time, beat length, meter]], curve, times of objects, marks. */
  show(data) {
    Object.assign(this.data, data);
    this.canvas.setAttribute('aria-valuemax', Math.round(this.data.duration / 1000));
    this.draw();
  }

  seek(time) {
    this.time = time;
    this.canvas.setAttribute('aria-valuenow', Math.round(time / 1000));
    this.canvas.setAttribute('aria-valuetext', clock(time));
    this.draw();
  }

  setRange(range) {
    this.range = range;
    this.draw();
  }

  draw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.#paint();
    });
  }

  #paint() {
    const {canvas} = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const pen = canvas.getContext('2d');
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const {peaks, duration, lines, curve, times, marks} = this.data;
    const x = (time) => (time / duration) * width;
    this.#bars(pen, peaks, width, height, colour, x);
    if (times.length) this.#density(pen, times, width, height, colour('density'), x);
    if (curve?.values.length) this.#curve(pen, curve, height, colour('accent'), x);
    pen.fillStyle = colour('red-line');
    for (const [time] of lines) pen.fillRect(x(time), 0, 1.5, height);
    for (const mark of marks) {
      pen.fillStyle = colour(mark.kind);
      pen.fillRect(x(mark.time) - 1, height - 7, 3, 7);
    }
    if (this.range) this.#range(pen, height, colour, x);
    pen.fillStyle = colour('text');
    pen.fillRect(x(this.time) - 0.75, 0, 1.5, height);
  }

  #bars(pen, peaks, width, height, colour, x) {
    const middle = height * 0.56;
    const played = x(this.time);
    const count = Math.floor(width / 2);
    for (let i = 0; i < count; i += 1) {
      const from = Math.floor((i * peaks.length) / count);
      const to = Math.max(from + 1, Math.floor(((i + 1) * peaks.length) / count));
      let peak = 0;
      for (let at = from; at < to && at < peaks.length; at += 1) peak = Math.max(peak, peaks[at]);
      const tall = Math.max(1, (peak / 255) * height * 0.42);
      pen.fillStyle = i * 2 < played ? colour('wave-on') : colour('wave');
      pen.fillRect(i * 2, middle - tall, 1.4, tall * 1.8);
    }
  }

  #curve(pen, curve, height, colour, x) {
    pen.beginPath();
    curve.values.forEach((value, i) => pen.lineTo(x(curve.start + i * curve.step), height - 4 - (value / 100) * (height - 10)));
    pen.strokeStyle = colour;
    pen.lineWidth = 1.6;
    pen.lineJoin = 'round';
    pen.stroke();
  }

  #density(pen, times, width, height, colour, x) {
    const columns = Math.max(20, Math.min(160, Math.floor(width / 6)));
    const counts = new Float32Array(columns);
    for (const time of times) counts[Math.min(columns - 1, Math.max(0, Math.floor((time / this.data.duration) * columns)))] += 1;
    const most = Math.max(...counts, 1);
    pen.fillStyle = colour;
    counts.forEach((count, i) => pen.fillRect((i * width) / columns, height, width / columns - 1, (-count / most) * height * 0.34));
  }

  #range(pen, height, colour, x) {
    const [from, to] = [x(this.range.start), x(this.range.end)];
    pen.fillStyle = colour('range');
    pen.fillRect(from, 0, to - from, height);
    pen.fillStyle = colour('accent');
    pen.fillRect(from - 1, 0, 2, height);
    pen.fillRect(to - 1, 0, 2, height);
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return Math.min(Math.max(((event.clientX - box.left) / box.width) * this.data.duration, 0), this.data.duration);
  }

  #press(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    const start = this.#at(event);
    const near = (HANDLE / this.canvas.clientWidth) * this.data.duration;
    const {range} = this;
    const fixed = range && Math.abs(range.start - start) < near ? range.end : range && Math.abs(range.end - start) < near ? range.start : start;
    let dragged = fixed !== start;
    const move = (next) => {
      const now = this.#at(next);
      dragged ||= Math.abs(now - start) > near;
      if (dragged && this.ranged) this.setRange({start: Math.min(fixed, now), end: Math.max(fixed, now)});
      else if (!this.ranged) this.onSeek?.(now);
    };
    const up = (next) => {
      this.canvas.removeEventListener('pointermove', move);
      if (dragged && this.ranged) this.onRange?.(this.range);
      else this.onSeek?.(this.#at(next));
    };
    this.canvas.addEventListener('pointermove', move);
    this.canvas.addEventListener('pointerup', up, {once: true});
  }

  #key(event) {
    const step = {ArrowLeft: -1000, ArrowRight: 1000, PageDown: -10000, PageUp: 10000}[event.key];
    const edge = {Home: 0, End: this.data.duration}[event.key];
    if (step === undefined && edge === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const time = edge ?? Math.min(Math.max(this.time + step, 0), this.data.duration);
    if (event.shiftKey && this.ranged) {
      const {start = this.time, end = this.time} = this.range || {};
      const anchor = this.time === end ? start : end;
      this.setRange({start: Math.min(anchor, time), end: Math.max(anchor, time)});
      this.onRange?.(this.range);
    }
    this.onSeek?.(time);
  }
}

export const rangeText = (range) => (range ? t('range.text', {from: clock(range.start, true), to: clock(range.end, true)}) : '');
