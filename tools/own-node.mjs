/**
 * Which Node the project's own processes run with: the one that package.json pins, where its package
 * for this platform is installed and runs here, else the one that runs this very process. A command
 * that began on a fresh clone began under the machine's Node: it asks once packages are installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile } from './services/private-file.mjs';

/** Its first start reads a binary of 130 MB from a disk that may be busy. */
const PROBE_MS = 20_000;

/** What a probed binary called itself; one that did not run is asked again. */
const versions = new Map();

/**
 * @param {string} root of the clone
 * @returns {{ path: string, version: string }} the binary, and what it calls itself: `v26.10.0`
 */
export function ownNode(root) {
  const { optionalDependencies = {} } = readJsonFile(join(root, 'package.json')) ?? {};
  for (const name of Object.keys(optionalDependencies)) {
    const folder = join(root, 'node_modules', name);
    const bin = readJsonFile(join(folder, 'package.json'))?.bin?.node;
    if (bin === undefined) continue;
    const path = join(folder, bin);
    const version = versionOf(path);
    if (version !== undefined) return { path, version };
  }
  return { path: process.execPath, version: process.version };
}

/**
 * The link of the pinned Node, which npm puts first for every script, goes where what it leads to does
 * not run. Installing does the same, but not where npm is told to run no scripts of packages. On
 * Windows it is no link, and the pinned Node needs nothing that may be missing.
 * @param {string} root of the clone
 * @returns {boolean} whether it was removed
 */
export function removeBrokenLink(root) {
  const link = join(root, 'node_modules', '.bin', 'node');
  if (process.platform === 'win32' || !existsSync(link)) return false;
  if (versionOf(link) !== undefined) return false;
  rmSync(link, { force: true });
  return true;
}

/** Being there is not enough: the official build for Linux needs glibc and, since 25, libatomic. */
function versionOf(path) {
  if (!existsSync(path)) return undefined;
  const known = versions.get(path);
  if (known !== undefined) return known;
  const { status, stdout } = spawnSync(path, ['--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PROBE_MS,
  });
  if (status !== 0) return undefined;
  versions.set(path, stdout.trim());
  return stdout.trim();
}
