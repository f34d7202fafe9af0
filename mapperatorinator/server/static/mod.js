import {fill,h} from './dom.js'; export function showMod(root){ fill(root,h('p',{},'…')); }
