// Files from the user: dropped, or picked with Browse; folders are looked through.

import * as api from './api.js';
import {h, toast} from './dom.js';
import {t} from './i18n.js';
import {chooseSong, chosenSong, state, tell} from './state.js';

const SONGS = /\.(mp3|ogg|opus|flac|wav|m4a|aac|mp4|mkv|webm|avi|flv|wma|aiff)$/i;
const MAPS = /\.(osz|osu)$/i;
const PICTURES = /\.(jpe?g|png)$/i;
const LARGEST = 512 * 2 ** 20;

/** Upload what was dropped; the first song or map becomes the chosen one. */
export async function takeFiles(transfer) {
  const entries = [...(transfer.items || [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = entries.length ? (await Promise.all(entries.map(filesOf))).flat() : [...transfer.files];
  const recipe = files.find((file) => /\.json$/i.test(file.name));
  if (recipe && files.length === 1) return tell('import', recipe);
  const wanted = files.filter((file) => SONGS.test(file.name) || MAPS.test(file.name) || PICTURES.test(file.name));
  if (!wanted.length) throw new Error(t('drop.unknown'));
  wanted.sort((a, b) => PICTURES.test(a.name) - PICTURES.test(b.name) || MAPS.test(b.name) - MAPS.test(a.name));
  let first = null;
  for (const file of wanted) {
    const song = await takeOne(file, first);
    if (song && !first) {
      first = song;
      chooseSong(song.id);
    }
  }
}

async function takeOne(file, first) {
  if (file.size > LARGEST) throw new Error(t('drop.large', {name: file.name}));
  const current = first || chosenSong();
  if (PICTURES.test(file.name)) {
    if (!current) throw new Error(t('drop.picture'));
    const song = await api.upload(`/api/songs/${current.id}/background`, file);
    state.songs.set(song.id, song);
    tell('songs', song.id);
    toast(t('drop.background', {name: file.name}));
    return null;
  }
  tell('uploading', file.name);
  try {
    const lacking = current && !current.file && current.state === 'ready' && SONGS.test(file.name);
    const song = await api.upload(lacking ? `/api/songs/${current.id}/sound` : '/api/songs', file);
    state.songs.set(song.id, {...song, ...state.songs.get(song.id)});
    tell('songs', song.id);
    return song;
  } finally {
    tell('uploading', null);
  }
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.slice(0, 200).map(filesOf))).flat();
}

/** The Browse button and its hidden file input. */
export function browseButton(label, accept = '', kind = '') {
  const input = h('input', {type: 'file', multiple: true, class: 'sr', tabIndex: -1, accept, aria: {label},
    onchange: () => {
      takeFiles({files: input.files}).catch((error) => toast(error.message, 'bad'));
      input.value = '';
    }});
  return h('span', {}, input, h('button', {type: 'button', class: kind, onclick: () => input.click()}, label));
}
