// The bar of buttons and sliders below the timelines.

import { clock } from './strings.js';

const ICONS = {
  play: 'M7 4v16l13-8z',
  pause: 'M6 4h4v16H6zM14 4h4v16h-4z',
  plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z',
  minus: 'M5 11h14v2H5z',
  song: 'M9 3v10.6A4 4 0 1 0 11 17V7h8V3z',
  hits: 'M4 9v6h4l5 5V4L8 9zm12-1v8a4 4 0 0 0 0-8z',
  full: 'M4 4h6v2H6v4H4zm10 0h6v6h-2V6h-4zM4 14h2v4h4v2H4zm14 0h2v6h-6v-2h4z',
};

/** An element with properties, attributes (`aria-…`, `role`) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes('-') || name === 'role') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

function icon(name) {
  const space = 'http://www.w3.org/2000/svg', svg = document.createElementNS(space, 'svg'), path = document.createElementNS(space, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

export class Controls {
  /** `actions`: toggle(), rate(value), song(level), hits(level), zoom(factor), full(). */
  constructor(say, actions) {
    this.say = say;
    const button = (name, image, run) => make('button', { type: 'button', className: 'mp-button', title: say(name), 'aria-label': say(name), onclick: run }, icon(image));
    const slider = (name, min, max, step, value, run) => make('input', { type: 'range', min, max, step, value, title: say(name), 'aria-label': say(name), oninput: (event) => run(Number(event.target.value)) });
    this.toggle = button('player.play', 'play', actions.toggle);
    this.toggle.classList.add('mp-main');
    this.now = make('span', { className: 'mp-now' }, clock(0));
    this.total = make('span', { className: 'mp-total' });
    this.rate = slider('player.speed', 0.5, 1.5, 0.05, 1, actions.rate);
    this.rateText = make('output', { className: 'mp-rate' }, '1.00×');
    this.element = make('div', { className: 'mp-controls' },
      this.toggle, make('span', { className: 'mp-time' }, this.now, this.total),
      make('span', { className: 'mp-group mp-speed' }, this.rate, this.rateText),
      make('span', { className: 'mp-group mp-volume' }, icon('song'), slider('player.song', 0, 1, 0.01, 0.7, actions.song)),
      make('span', { className: 'mp-group mp-volume' }, icon('hits'), slider('player.hits', 0, 1, 0.01, 0.5, actions.hits)),
      make('span', { className: 'mp-group mp-zoom' },
        button('player.zoomOut', 'minus', () => actions.zoom(1 / 1.4)), button('player.zoomIn', 'plus', () => actions.zoom(1.4)),
        button('player.fullscreen', 'full', actions.full)));
  }

  playing(is) {
    const name = this.say(is ? 'player.pause' : 'player.play');
    this.toggle.replaceChildren(icon(is ? 'pause' : 'play'));
    this.toggle.title = name;
    this.toggle.setAttribute('aria-label', name);
  }

  time(now, duration) {
    const text = clock(now), total = ` / ${clock(duration, false)}`;
    if (this.now.textContent !== text) this.now.textContent = text;
    if (this.total.textContent !== total) this.total.textContent = total;
  }

  speed(rate) {
    this.rate.value = rate;
    this.rateText.textContent = `${rate.toFixed(2)}×`;
  }
}
