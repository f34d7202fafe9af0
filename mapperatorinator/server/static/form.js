// Every option, built from the schema: grouped, searchable, with meaning, range, default, and whether it counts.

import {fill, h, save, toast} from './dom.js';
import {t, tOr} from './i18n.js';
import {presets} from './ask.js';
import {honoured, on, setValue, setValues, state, tell, valueOf} from './state.js';

const ABOVE = ['difficulties']; // asked in the line above
const VERSION = '1';

export function formPanel() {
  const search = h('input', {type: 'search', placeholder: t('form.search'), aria: {label: t('form.search')}});
  const fields = state.offer.options.filter((one) => !ABOVE.includes(one.name)).map(field);
  const groups = [...new Set(fields.map((one) => one.option.group))].map((title) => {
    const inside = fields.filter((one) => one.option.group === title);
    const count = h('span', {class: 'count'});
    const element = h('details', {class: 'group'}, h('summary', {}, tOr(`group.${title}`, title), count), h('div', {class: 'fields'}, inside.map((one) => one.element)));
    return {element, inside, count};
  });
  const update = () => {
    for (const one of fields) one.update();
    for (const {inside, count} of groups) {
      const changed = inside.filter((one) => one.option.name in state.values).length;
      count.textContent = changed ? String(changed) : '';
    }
  };
  search.addEventListener('input', () => filter(groups, search.value.trim().toLowerCase()));
  on('values', update);
  on('import', (file) => importFile(file));
  update();
  return h('details', {class: 'more'}, h('summary', {}, t('form.more')), h('div', {class: 'form-tools'}, search, tools()), groups.map((one) => one.element));
}

function filter(groups, words) {
  for (const {element, inside} of groups) {
    for (const one of inside) one.element.hidden = !one.words.includes(words);
    element.hidden = inside.every((one) => one.element.hidden);
    if (words) element.open = !element.hidden;
  }
}

function field(option) {
  const id = `option-${option.name}`;
  const input = control(option, id);
  const meaning = tOr(`option.${option.name}`, option.meaning);
  const accepts = option.choices.length ? '' : [rangeText(option), option.unit].filter(Boolean).join(' ');
  const given = option.default === null || option.default === '' || option.default.length === 0 ? '' : t('form.default', {value: String(option.default)});
  const reset = h('button', {type: 'button', class: 'small ghost', aria: {label: t('form.reset_one', {name: option.name})}, title: t('form.reset_one', {name: option.name}), onclick: () => setValue(option.name, null)}, '↺');
  const ignored = h('span', {class: 'tag'}, t('form.ignored'));
  const element = h('div', {class: 'option'},
    h('label', {htmlFor: id}, option.name.replaceAll('_', ' ')), input.element, reset,
    h('p', {class: 'dim', id: `${id}-help`}, ignored, `${meaning}${accepts ? ` · ${accepts}` : ''}${given ? ` · ${given}` : ''}`));
  input.element.setAttribute('aria-describedby', `${id}-help`);
  return {option, element, words: `${option.name} ${option.name.replaceAll('_', ' ')} ${meaning} ${option.group}`.toLowerCase(), update: () => {
    const changed = option.name in state.values;
    element.classList.toggle('changed', changed);
    element.classList.toggle('ignored', !honoured(option.name));
    reset.hidden = !changed;
    ignored.hidden = honoured(option.name);
    if (!input.element.contains(document.activeElement) || !changed) input.show(valueOf(option.name));
  }};
}

function rangeText({low, high}) {
  if (low !== null && high !== null) return `${low} – ${high}`;
  return low !== null ? `≥ ${low}` : '';
}

function control(option, id) {
  const {name, type, choices} = option;
  if (type === 'flag') return choice(name, id, [['', t('form.auto')], ['true', t('form.yes')], ['false', t('form.no')]].slice(option.default === null ? 0 : 1), (value) => (value === '' ? null : value === 'true'));
  if (choices.length && type === 'words') return several(name, id, choices);
  if (choices.length) {
    const labels = choices.map((one) => [String(one), name === 'gamemode' ? state.offer.modes[one] : String(one)]);
    const convert = (value) => (value === '' ? null : type === 'whole' ? Number(value) : value);
    return choice(name, id, option.default === null ? [['', t('form.auto')], ...labels] : labels, convert);
  }
  const numeric = type === 'whole' || type === 'real';
  const element = h('input', {id, type: numeric ? 'number' : 'text', min: option.low ?? undefined, max: option.high ?? undefined, maxLength: numeric ? undefined : 1000,
    step: type === 'whole' ? 1 : 'any', placeholder: option.default === null ? t('form.auto') : '', onchange: () => {
      if (!element.checkValidity()) return element.reportValidity();
      if (element.value === '') return setValue(name, null);
      if (numeric) return setValue(name, Number(element.value));
      return setValue(name, type === 'text' ? element.value : element.value.split(',').map((one) => one.trim()).filter(Boolean));
    }});
  return {element, show: (value) => { element.value = Array.isArray(value) ? value.join(', ') : value ?? ''; }};
}

function choice(name, id, labels, convert) {
  const element = h('select', {id, onchange: () => setValue(name, convert(element.value))}, labels.map(([value, label]) => h('option', {value}, label)));
  return {element, show: (value) => { element.value = value === null || value === undefined ? '' : String(value); }};
}

function several(name, id, choices) {
  const boxes = choices.map((one) => h('input', {type: 'checkbox', value: one, onchange: () => setValue(name, boxes.filter((box) => box.checked).map((box) => box.value))}));
  const element = h('div', {id, class: 'several', role: 'group', aria: {label: name}}, boxes.map((box) => h('label', {}, box, box.value)));
  return {element, show: (value) => boxes.forEach((box) => { box.checked = value.includes(box.value); })};
}

// Presets, export, import, reset

function tools() {
  const input = h('input', {type: 'file', accept: '.json', class: 'sr', tabIndex: -1, aria: {label: t('form.import')}, onchange: () => {
    if (input.files[0]) importFile(input.files[0]);
    input.value = '';
  }});
  const button = (label, act) => h('button', {type: 'button', class: 'small', onclick: act}, label);
  return h('div', {class: 'buttons'}, input,
    button(t('form.save_preset'), savePreset),
    button(t('form.export'), () => save(new Blob([JSON.stringify({version: VERSION, settings: state.values}, null, 2)], {type: 'application/json'}), 'mapperatorinator-settings.json')),
    button(t('form.import'), () => input.click()),
    button(t('form.reset'), () => setValues({})));
}

function savePreset() {
  const name = prompt(t('form.preset_name'));
  if (!name) return;
  const own = Object.fromEntries(Object.entries(presets()).filter(([one]) => !(one in state.offer.presets)));
  localStorage.setItem('presets', JSON.stringify({...own, [name.slice(0, 60)]: state.values}));
  tell('values', null);
  toast(t('form.preset_saved', {name}));
}

/** Settings from a file: our export, a recipe, or the older program's configuration. */
async function importFile(file) {
  try {
    const told = JSON.parse(await file.text());
    const values = {...(told.settings || {})};
    if (told.descriptors?.positive) Object.assign(values, {descriptors: told.descriptors.positive, negative_descriptors: told.descriptors.negative || []});
    if (!told.settings) throw new Error();
    const typed = Object.entries(values).filter(([, value]) => value !== '' && value !== null).map(([name, value]) => [name, fromText(name, value)]);
    setValues(Object.fromEntries(typed.filter(([, value]) => value !== undefined)));
    toast(t('form.imported', {name: file.name}));
  } catch {
    toast(t('form.bad_import', {name: file.name}), 'bad');
  }
}

function fromText(name, value) {
  const option = state.offer.options.find((one) => one.name === name);
  if (!option) return undefined;
  if (option.type === 'flag') return value === true || value === 'true';
  if (option.type === 'whole' || option.type === 'real') return Number.isFinite(Number(value)) ? Number(value) : undefined;
  if (option.type === 'words' || option.type === 'reals') return Array.isArray(value) ? value : undefined;
  return String(value);
}
