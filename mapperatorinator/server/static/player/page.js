// The page player.html: open or drop an .osz (or .osu) and play it.

import { Player } from './player.js';
import { Beatmap } from './beatmap.js';
import { speaker } from './strings.js';
import { find, readZip } from './zip.js';
import { make } from './controls.js';

const say = speaker();
const body = document.querySelector('main'), picker = document.querySelector('#file'), drop = document.querySelector('#drop');
const select = document.querySelector('#difficulty'), heading = document.querySelector('#title'), status = document.querySelector('#status');
const player = new Player(document.querySelector('#player'));
let files = new Map(), maps = [];

/** Opens the bytes of an archive or of one map. */
async function open(name, bytes) {
  status.textContent = say('player.loading');
  try {
    files = /\.osu$/i.test(name) ? new Map([[name, async () => bytes]]) : readZip(bytes);
    maps = [];
    for (const [path, read] of files) {
      if (!/\.osu$/i.test(path)) continue;
      const text = new TextDecoder().decode(await read());
      maps.push({ text, map: new Beatmap(text) });
    }
    if (!maps.length) throw new Error(say('player.noMaps'));
    maps.sort((a, b) => a.map.mode - b.map.mode || a.map.objects.length - b.map.objects.length);
    select.replaceChildren(...maps.map(({ map }, i) => make('option', { value: i }, `${['osu!', 'taiko', 'catch', 'mania'][map.mode]} · ${map.difficulty}`)));
    body.classList.add('open');
    await show(0, true);
    status.textContent = '';
  } catch (error) {
    status.textContent = error.message;
  }
}

async function show(index, fresh) {
  const { text, map } = maps[index], read = (name) => (name ? find(files, name)?.() : null);
  heading.textContent = document.title = `${map.artist} – ${map.title}`;
  const samples = {};
  for (const [path, take] of files) {
    if (/(^|\/)(normal|soft|drum)-hit\w+\.(wav|ogg|mp3)$/i.test(path)) samples[path] = await take();
  }
  const picture = await read(map.background), same = !fresh && map.audioFilename === show.audio;
  show.audio = map.audioFilename;
  await player.load({
    osu: text, samples, background: picture ? new Blob([picture]) : null,
    audio: same ? undefined : ((await read(map.audioFilename)) ?? null),
  });
}

async function take(file) {
  if (file) await open(file.name, await file.arrayBuffer());
}

player.addEventListener('warning', ({ detail }) => { status.textContent = detail.message; });
picker.addEventListener('change', () => take(picker.files[0]));
select.addEventListener('change', () => show(Number(select.value), false));
for (const type of ['dragover', 'drop']) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    if (type === 'drop') take(event.dataTransfer.files[0]);
  });
}
drop.hidden = false;
const wanted = new URLSearchParams(location.search).get('map'); // a file beside this page, e.g. ?map=demo.osz
if (wanted && /^[\w./ -]+$/.test(wanted) && !wanted.includes('..') && !wanted.startsWith('/')) {
  fetch(wanted).then(async (response) => response.ok && open(wanted, await response.arrayBuffer()));
}
window.player = player; // for the console
