/**
 * The cache of unpacked server binaries, shared by all clones of this user. An entry appears by one
 * rename when it is complete, so that a killed unpack or two runs at once leave nothing half-done.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isAlive } from './process-ownership.mjs';

const LOCK_POLL_MS = 200;

/** @param {NodeJS.ProcessEnv} [env] */
export function cacheDirectory(env = process.env) {
  if (env.SURETY_CACHE_DIR) return resolve(env.SURETY_CACHE_DIR);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'surety');
}

/** @type {Map<string, Promise<string>>} fills under way in this process: the lock is per process */
const underWay = new Map();

/**
 * Returns the directory of a complete entry, filling it first if this is the first use.
 * @param {{ cacheDir: string, key: string, fill: (temporaryDir: string) => Promise<void> }} options
 */
export function cachedEntry({ cacheDir, key, fill }) {
  const entry = join(cacheDir, key);
  if (existsSync(entry)) return Promise.resolve(entry);
  const known = underWay.get(entry);
  if (known) return known;
  const filling = fillEntry({ cacheDir, key, fill, entry }).finally(() => underWay.delete(entry));
  underWay.set(entry, filling);
  return filling;
}

async function fillEntry({ cacheDir, key, fill, entry }) {
  mkdirSync(cacheDir, { recursive: true });
  const unlock = await lock(`${entry}.lock`);
  try {
    if (existsSync(entry)) return entry;
    removeLeftOvers(cacheDir, `${key}.partial-`);
    const temporary = `${entry}.partial-${process.pid}`;
    mkdirSync(temporary, { recursive: true });
    await fill(temporary);
    renameSync(temporary, entry);
    return entry;
  } finally {
    unlock();
  }
}

/** Safe under the entry's lock only: whoever wrote these is dead. */
function removeLeftOvers(directory, prefix) {
  for (const name of readdirSync(directory)) {
    if (name.startsWith(prefix)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/**
 * Waits for as long as the holder lives: a download may take minutes. A dead holder is replaced.
 * The file is linked into place with its content, so nobody reads an empty one and calls it dead.
 */
async function lock(file) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    while (!linkIfAbsent(own, file)) {
      if (isAlive(readHolder(file))) await new Promise((done) => setTimeout(done, LOCK_POLL_MS));
      else rmSync(file, { force: true });
    }
  } finally {
    rmSync(own, { force: true });
  }
  return () => rmSync(file, { force: true });
}

function linkIfAbsent(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}
