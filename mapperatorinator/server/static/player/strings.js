// What the player says, in English; `t(key)` of the host gives other languages.

export const STRINGS = {
  'player.region': 'Beatmap player',
  'player.field': 'Playfield: {title}, {count} objects',
  'player.play': 'Play',
  'player.pause': 'Pause',
  'player.speed': 'Speed',
  'player.song': 'Song volume',
  'player.hits': 'Hit sound volume',
  'player.zoomIn': 'Zoom the timeline in',
  'player.zoomOut': 'Zoom the timeline out',
  'player.fullscreen': 'Full screen',
  'player.overview': 'Position in the song',
  'player.timeline': 'Timeline: click to go there, drag to select a range',
  'player.position': '{time} of {duration}',
  'player.noAudio': 'The song cannot be played by this browser; the map plays without it.',
  'player.loading': 'Loading…',
  'player.noMaps': 'There is no beatmap in this file.',
};

/** A function (key, values) -> text that asks the host's `t` first. */
export function speaker(t) {
  return (key, values = {}) => {
    const own = t?.(key, values), text = own && own !== key ? own : STRINGS[key];
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  };
}

/** "01:23.456" */
export function clock(ms, withMs = true) {
  const sign = ms < 0 ? '-' : '', at = Math.abs(Math.round(ms)), pad = (n, width) => String(n).padStart(width, '0');
  const base = `${sign}${pad(Math.floor(at / 60000), 2)}:${pad(Math.floor(at / 1000) % 60, 2)}`;
  return withMs ? `${base}.${pad(at % 1000, 3)}` : base;
}
