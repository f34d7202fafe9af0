// Building elements, never from HTML text: titles and tags of songs are hostile input.

/** An element: h('button', {class: 'x', onclick: f, aria: {label: 'y'}}, 'text', child, …). */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class') element.className = value;
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'aria') for (const [key, text] of Object.entries(value)) setAria(element, key, text);
    else if (name in element && name !== 'list' && name !== 'role') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function setAria(element, key, value) {
  if (value === undefined || value === null) element.removeAttribute(`aria-${key}`);
  else element.setAttribute(`aria-${key}`, String(value));
}

export const find = (selector, root = document) => root.querySelector(selector);

/** Replace the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An icon of our own small set, drawn as a path so that no font is needed. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

const ICONS = {
  play: 'M7 4v16l13-8z',
  pause: 'M6 4h4v16H6zM14 4h4v16h-4z',
  star: 'M12 2l3 6.6 7 .8-5.200 4.8 1.400 7L12 17.700 5.800 21.200l1.400-7L2 9.400l7-.8z',
  folder: 'M3 5h6l2 3h10v11H3z',
  download: 'M11 3h2v9h4l-5 5-5-5h4zM4 19h16v2H4z',
  close: 'M6 4.600L4.600 6l6 6-6 6L6 19.400l6-6 6 6 1.400-1.400-6-6 6-6L18 4.600l-6 6z',
  up: 'M12 6l8 10H4z',
  down: 'M12 18L4 8h16z',
  undo: 'M9 5v4h5a6 6 0 010 12H8v-3h6a3 3 0 000-6H9v4L2 10.500z',
  song: 'M9 3l11-1v14a3 3 0 11-2-2.800V6l-7 .7V18a3 3 0 11-2-2.800z',
};

export function clock(ms, precise = false) {
  const total = Math.max(0, Math.round(ms));
  const two = (number) => String(number).padStart(2, '0');
  const text = `${two(Math.floor(total / 60000))}:${two(Math.floor(total / 1000) % 60)}`;
  return precise ? `${text}:${String(total % 1000).padStart(3, '0')}` : text;
}

/** A short message at the bottom of the page, also read out. */
export function toast(text, kind = '') {
  const line = h('p', {class: `toast ${kind}`}, text);
  find('#toasts').append(line);
  setTimeout(() => line.remove(), kind === 'bad' ? 9000 : 4500);
}

/** Hand a file to the browser's downloads. */
export function save(blob, name) {
  const link = h('a', {href: URL.createObjectURL(blob), download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 30000);
}
