/**
 * A flame graph of a CPU profile as one SVG that any browser shows: the width of a frame is its share
 * of the samples, its children lie above it, the text of a frame is its tooltip. Idle time is left
 * out: what is asked is where the work goes.
 *
 *   node load/bench/flame-graph.mjs profiles/ingress.cpuprofile docs/performance/ingress.svg
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const WIDTH = 1_200;
const ROW = 17;
const TITLE = 34;
const TEXT_FROM_WIDTH = 36;
const CHARACTER_WIDTH = 6.4;
/** Narrower frames cannot be seen; they only make the file large. */
const WIDTH_MIN = 1.5;
const IDLE = new Set(['(idle)', '(root)']);

/** @typedef {{ name: string, room: string, micros: number, children: Map<string, Frame> }} Frame */

/** @returns {Frame} all samples of the profile, merged by the names on their stacks */
export function framesOf(profile) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map();
  for (const { id, children = [] } of profile.nodes) {
    for (const child of children) parents.set(child, id);
  }
  const stacks = new Map();
  const stackOf = (id) => {
    const known = stacks.get(id);
    if (known) return known;
    const parent = parents.get(id);
    const below = parent === undefined ? [] : stackOf(parent);
    const { callFrame } = nodes.get(id);
    const stack = IDLE.has(callFrame.functionName) ? below : [...below, callFrame];
    stacks.set(id, stack);
    return stack;
  };
  const root = newFrame('all', '');
  profile.samples.forEach((id, at) => {
    if (nodes.get(id).callFrame.functionName === '(idle)') return;
    add(root, stackOf(id), profile.timeDeltas[at]);
  });
  return root;
}

const newFrame = (name, room) => ({ name, room, micros: 0, children: new Map() });

function add(root, stack, micros) {
  let frame = root;
  frame.micros += micros;
  for (const { functionName, url } of stack) {
    const room = roomOf(url);
    const name = `${functionName || '(anonymous)'} ${room}`.trim();
    const child = frame.children.get(name) ?? newFrame(name, room);
    frame.children.set(name, child);
    child.micros += micros;
    frame = child;
  }
}

/** Our own room, the package, or Node: no path of a machine gets into the picture. */
function roomOf(url) {
  if (url.startsWith('node:')) return url;
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (library && !library.startsWith('@surety/')) return library;
  const own = /\/((?:apps|packages)\/[^/]+|db)\/(?:dist|src)\/(.+)$/.exec(url);
  return own ? `${own[1]}/${own[2]}` : '';
}

/** @returns {string} */
export function svgOf(root, title) {
  const rects = [];
  let depth = 0;
  const draw = (frame, x, level) => {
    const width = (frame.micros / root.micros) * WIDTH;
    if (width < WIDTH_MIN) return;
    depth = Math.max(depth, level);
    rects.push({ frame, x, width, level });
    let at = x;
    for (const child of [...frame.children.values()].sort((a, b) => b.micros - a.micros)) {
      draw(child, at, level + 1);
      at += (child.micros / root.micros) * WIDTH;
    }
  };
  draw(root, 0, 0);
  const height = TITLE + (depth + 1) * ROW + 4;
  const body = rects.map((rect) => drawn(rect, root, height)).join('\n');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `font-family="monospace" font-size="11">\n` +
    `<rect width="${WIDTH}" height="${height}" fill="#fdfdfb"/>\n` +
    `<text x="6" y="20" font-size="14">${escaped(title)}</text>\n${body}\n</svg>\n`
  );
}

function drawn({ frame, x, width, level }, root, height) {
  const y = height - (level + 1) * ROW;
  const share = ((frame.micros / root.micros) * 100).toFixed(1);
  const room = Math.floor((width - 6) / CHARACTER_WIDTH);
  const text =
    width < TEXT_FROM_WIDTH
      ? ''
      : `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escaped(frame.name.slice(0, room))}</text>`;
  return (
    `<g><title>${escaped(frame.name)}: ${share} %</title>` +
    `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" ` +
    `fill="${colourOf(frame.room)}"/>${text}</g>`
  );
}

/** Ours, libraries, Node and the engine each have a colour. */
function colourOf(room) {
  if (/^(?:apps|packages|db)\b/.test(room)) return '#f2a65a';
  if (room.startsWith('node:')) return '#a8d08d';
  return room === '' ? '#c9c9c9' : '#8fb8de';
}

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function main([profileFile, svgFile]) {
  if (!profileFile || !svgFile) {
    process.stderr.write('usage: node load/bench/flame-graph.mjs FILE.cpuprofile FILE.svg\n');
    process.exitCode = 2;
    return;
  }
  const root = framesOf(JSON.parse(readFileSync(profileFile, 'utf8')));
  const seconds = (root.micros / 1_000_000).toFixed(1);
  const name = basename(profileFile, '.cpuprofile');
  writeFileSync(svgFile, svgOf(root, `${name}: ${seconds} s of work`));
}

if (process.argv[1] === import.meta.filename) main(process.argv.slice(2));
