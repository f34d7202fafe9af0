// The first page: a song comes in, one line asks, a map comes out and plays.

import {askPanel} from './ask.js';
import {fill, h} from './dom.js';
import {formPanel} from './form.js';
import {queuePanel} from './queue.js';
import {resultPanel} from './result.js';
import {songPanel} from './song.js';

export function showCreate(root) {
  fill(root,
    h('div', {class: 'columns'},
      h('div', {class: 'left'}, songPanel(), askPanel(formPanel()), queuePanel()),
      h('div', {class: 'right'}, resultPanel())));
}
