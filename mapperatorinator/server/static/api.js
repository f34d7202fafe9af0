// Talking to the server: every request carries the token of this launch, which came in the address.

const HEADER = 'X-Mapperatorinator-Token';
const KEY = 'token';

function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has('token')) {
    localStorage.setItem(KEY, given.get('token'));
    history.replaceState(null, '', given.get('page') ? `#${given.get('page')}` : location.pathname);
  }
  return localStorage.getItem(KEY) || '';
}

const token = takeToken();

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(method, path, {json, body, query, signal} = {}) {
  const headers = {[HEADER]: token};
  if (json !== undefined) headers['Content-Type'] = 'application/json';
  else if (body) headers['Content-Type'] = 'application/octet-stream';
  const address = query ? `${path}?${new URLSearchParams(query)}` : path;
  const answer = await fetch(address, {method, headers, signal, body: json === undefined ? body : JSON.stringify(json)});
  if (answer.ok) return answer;
  let text = answer.statusText;
  try {
    const told = await answer.json();
    text = told.error || (Array.isArray(told.detail) ? told.detail.map((d) => `${d.loc.at(-1)}: ${d.msg}`).join('; ') : text);
  } catch { /* no JSON: the status must do */ }
  throw new Refused(answer.status, text);
}

export const get = async (path, query) => (await request('GET', path, {query})).json();
export const getText = async (path) => (await request('GET', path)).text();
export const getBlob = async (path) => (await request('GET', path)).blob();
export const post = async (path, json = {}) => (await request('POST', path, {json})).json();
export const put = async (path, json) => (await request('PUT', path, {json})).json();
export const patch = async (path, json) => (await request('PATCH', path, {json})).json();
export const remove = async (path) => (await request('DELETE', path)).json();
export const upload = async (path, file) => (await request('POST', path, {body: file, query: {name: file.name}})).json();

const sounds = new Map();

/** The song's file as bytes, fetched once. */
export function sound(song) {
  if (!sounds.has(song.id)) {
    const fetched = request('GET', `/api/songs/${song.id}/sound`).then((answer) => answer.arrayBuffer());
    fetched.catch(() => sounds.delete(song.id));
    sounds.clear();
    sounds.set(song.id, fetched);
  }
  return sounds.get(song.id).then((bytes) => bytes.slice(0));
}

/** Listen to the server's events for ever; after a pause they go on where they stopped. */
export async function listen(handle, status) {
  let last = '';
  for (;;) {
    try {
      const headers = {[HEADER]: token, ...(last && {'Last-Event-ID': last})};
      const answer = await fetch('/api/events', {headers, cache: 'no-store'});
      if (!answer.ok) throw new Refused(answer.status, answer.statusText);
      status(true);
      await readEvents(answer.body, (event) => {
        last = event.id || last;
        handle(event.event, event.data);
      });
    } catch (error) {
      if (error.status === 401) return status(false, error);
    }
    status(false);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function readEvents(body, tell) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const event = {};
      for (const line of block.split('\n')) {
        const at = line.indexOf(': ');
        if (at > 0) event[line.slice(0, at)] = line.slice(at + 2);
      }
      if (event.event) tell({...event, data: JSON.parse(event.data || '{}')});
    }
  }
}
