/**
 * `node tools/operations-doc.mjs [--write]`: starts a fresh system in this clone, does what an
 * operator meets, runs every command that docs/operations.md shows, and prints or writes what they
 * answered. A block of the page is `<!-- output: NAME -->` up to `<!-- end -->`; a scene whose block
 * the page does not have is played, not shown. Drops what is under .surety/, as `npm start -- --fresh`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { playScenes } from './operations/scenes.mjs';
import { ownNode } from './own-node.mjs';
import { findFreePort } from './services/ports.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const page = join(root, 'docs', 'operations.md');
/** Below the system, so that commands find it, with files of their own around them. */
const folder = join(root, '.surety', 'operations');
const systemFile = join(root, '.surety', 'system.json');
const START_DEADLINE_MS = 300_000;
const STOP_DEADLINE_MS = 60_000;
const POLL_MS = 200;

/** @param {() => Promise<boolean> | boolean} condition @param {string} what */
async function until(condition, what, deadlineMs = 60_000) {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs / 1000} s`);
    await pause(POLL_MS);
  }
}

async function startSystem() {
  const port = await findFreePort();
  const args = [join(root, 'tools', 'start.mjs'), '--fresh', '--no-demo'];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: {
      ...process.env,
      ...{ PORT: String(port), HOLD_TIMEOUT: '30m', SURETY_STALL_TIMEOUT: '1m' },
      // So that the scenes need not wait for seals.
      SURETY_SEAL_INTERVAL: '5s',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const http = `http://127.0.0.1:${port}`;
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
    const answer = await fetch(`${http}/readyz`).catch(() => undefined);
    return answer?.ok === true && existsSync(systemFile);
  };
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    const ended = once(child, 'exit');
    await Promise.race([ended, pause(STOP_DEADLINE_MS, undefined, { ref: false })]);
  };
  try {
    await until(isReady, 'the system is ready', START_DEADLINE_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { http, stop, system: JSON.parse(readFileSync(systemFile, 'utf8')) };
}

/** Runs one command line as an operator does; the answer is what a terminal would show. */
async function surety(line) {
  const args = line.match(/"[^"]*"|\S+/g).map((part) => part.replaceAll('"', ''));
  const bin = join(root, 'apps', 'reconciler', 'bin', 'surety.mjs');
  const child = spawn(ownNode(root).path, [bin, ...args], { cwd: folder });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  child.stderr.on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  return { code, text: text.trimEnd() };
}

function blockOf(shown) {
  return shown
    .map(
      ({ line, code, text }) => `$ surety ${line}\n${text}${code === 0 ? '' : `\n(exit ${code})`}`,
    )
    .join('\n\n');
}

function filled(markdown, blocks) {
  return markdown.replaceAll(
    /(<!-- output: ([a-z-]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (whole, open, name, end) => {
      const shown = blocks.get(name);
      if (!shown) return whole;
      return `${open}\n\`\`\`console\n${blockOf(shown)}\n\`\`\`\n\n${end}`;
    },
  );
}

async function main() {
  const { http, system, stop } = await startSystem();
  mkdirSync(folder, { recursive: true });
  const load = (...path) => import(pathToFileURL(join(root, ...path, 'dist', 'index.js')).href);
  /** @type {Map<string, { line: string, code: number, text: string }[]>} */
  const blocks = new Map();
  try {
    const show = async (name, line) => {
      const answer = await surety(line);
      // A page does not show what this release cannot do.
      if (answer.code === 2 && answer.text.includes('unknown command')) return answer;
      const known = blocks.get(name) ?? [];
      blocks.set(name, [...known, { line, ...answer }]);
      process.stderr.write(`${name}: surety ${line} -> ${answer.code}\n`);
      return answer;
    };
    await playScenes({ http, system, load, show, surety, until, folder });
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const text = filled(readFileSync(page, 'utf8'), blocks);
  if (process.argv.includes('--write')) writeFileSync(page, text);
  else process.stdout.write(text);
}

await main();
