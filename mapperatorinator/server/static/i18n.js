// Languages: one JSON file each, English where a word is missing; the choice outlives a reload.

const KEY = 'language';
let words = {};
let english = {};
export let language = 'en';

export async function loadLanguage(known) {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages.map((code) => code.split('-')[0])];
  language = wanted.find((code) => code in known) || 'en';
  const read = async (code) => (await fetch(`lang/${code}.json`)).json();
  [english, words] = await Promise.all([read('en'), read(language)]);
  document.documentElement.lang = language;
  translate(document);
}

/** The words for a key, with {names} filled in. */
export function t(key, values = {}) {
  const text = words[key] ?? english[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** Words for a key, or a fallback where no language has any. */
export const tOr = (key, fallback) => words[key] ?? english[key] ?? fallback;

export function chooseLanguage(code) {
  localStorage.setItem(KEY, code);
  location.reload();
}

/** Fill in the texts of elements that name their key. */
export function translate(root) {
  for (const element of root.querySelectorAll('[data-t]')) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll('[data-t-label]')) element.setAttribute('aria-label', t(element.dataset.tLabel));
}
