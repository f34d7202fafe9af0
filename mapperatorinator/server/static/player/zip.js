// Reading .osz archives (zip files) in the browser; sizes are capped before anything is unpacked.

const MAX_MEMBERS = 10000, MAX_MEMBER = 512 * 2 ** 20, MAX_TOTAL = 1024 * 2 ** 20;

/** The files of a zip archive: name -> async function that gives its bytes as an ArrayBuffer. */
export function readZip(buffer) {
  const view = new DataView(buffer), end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true), total = 0;
  if (count > MAX_MEMBERS) throw new Error('The archive has too many files.');
  const files = new Map();
  for (let i = 0; i < count; i++) {
    if (at + 46 > buffer.byteLength || view.getUint32(at, true) !== 0x02014b50) throw new Error('The archive is damaged.');
    const flags = view.getUint16(at + 8, true), method = view.getUint16(at + 10, true);
    const packed = view.getUint32(at + 20, true), size = view.getUint32(at + 24, true);
    const nameLength = view.getUint16(at + 28, true), offset = view.getUint32(at + 42, true);
    const raw = new Uint8Array(buffer, at + 46, nameLength);
    const name = new TextDecoder(flags & 0x800 ? 'utf-8' : guess(raw)).decode(raw).replaceAll('\\', '/');
    total += size;
    if (size > MAX_MEMBER || total > MAX_TOTAL) throw new Error('The archive unpacks to too much data.');
    if (!name.endsWith('/') && !(flags & 1)) files.set(name, () => unpack(buffer, offset, method, packed, size));
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}

function findEnd(view) {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 65557); at--) {
    if (view.getUint32(at, true) === 0x06054b50) return at;
  }
  throw new Error('This is no .osz archive.');
}

/** Old archives hold names in Shift-JIS or UTF-8 without saying so. */
function guess(bytes) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return 'utf-8';
  } catch {
    return 'shift_jis';
  }
}

async function unpack(buffer, offset, method, packed, size) {
  const view = new DataView(buffer);
  if (view.getUint32(offset, true) !== 0x04034b50) throw new Error('The archive is damaged.');
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const data = buffer.slice(start, start + packed);
  if (method === 0) return data;
  if (method !== 8) throw new Error('The archive is packed in a way that browsers cannot read.');
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const out = new Uint8Array(size);
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > size) throw new Error('The archive unpacks to more than it says.'); // a zip bomb
    out.set(value, at);
    at += value.length;
  }
  return out.buffer;
}

/** The file of this name in `files`, upper and lower case alike. */
export function find(files, name) {
  const wanted = name.replaceAll('\\', '/').toLowerCase();
  for (const [key, read] of files) if (key.toLowerCase() === wanted) return read;
  return null;
}
