/** npm packages and the TypeScript build, each only when something changed. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { removeBrokenLink } from '../own-node.mjs';
import { readJsonFile, writePrivateFile } from '../services/private-file.mjs';
import { track } from '../services/short-lived-children.mjs';

const SOURCE_ROOTS = ['packages', 'db', 'apps', 'tests'];
const NOT_SOURCES = new Set(['node_modules', 'dist', 'coverage']);

/** @param {string} root @returns {Promise<'installed' | 'unchanged'>} */
export async function installPackages(root) {
  if (!isInstallDue(root)) return 'unchanged';
  const lock = readJsonFile(join(root, 'package-lock.json'));
  const command = lock && isComplete(lock) ? 'ci' : 'install';
  if (wouldReplaceItself(root)) {
    throw new Error(
      `the packages have changed, and this Node is one of them: run npm ${command} first`,
    );
  }
  await runNpm(root, [command, '--no-audit', '--no-fund']);
  removeBrokenLink(root);
  return 'installed';
}

/** Windows lets nobody replace the binary of a running process, such as the one that asks for it. */
export function wouldReplaceItself(
  root,
  { platform = process.platform, execPath = process.execPath } = {},
) {
  const path = relative(join(root, 'node_modules'), execPath);
  return platform === 'win32' && !path.startsWith('..') && !isAbsolute(path);
}

/**
 * `npm ci` refuses a lock file that leaves out optional packages for other platforms, which happens
 * where the registry did not have them when it was written. `npm install` keeps to the same
 * versions and does not mind.
 */
export function isComplete(lock) {
  const packages = lock.packages ?? {};
  const known = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)));
  return Object.values(packages).every(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies).every((name) => known.has(name)),
  );
}

/** npm writes its own lock into node_modules last: it is missing or old after a broken install. */
function isInstallDue(root) {
  const installed = statSync(join(root, 'node_modules', '.package-lock.json'), {
    throwIfNoEntry: false,
  });
  if (!installed) return true;
  const wanted = statSync(join(root, 'package-lock.json'), { throwIfNoEntry: false });
  return wanted !== undefined && wanted.mtimeMs > installed.mtimeMs;
}

/** @param {string} root @returns {Promise<'built' | 'unchanged'>} */
export async function buildSources(root) {
  const stamp = stampOf(root);
  if (isBuiltAs(root, stamp)) return 'unchanged';
  await runNpm(root, ['run', '--silent', 'build']);
  writePrivateFile(stampFileOf(root), stamp);
  return 'built';
}

/** Nothing is to be installed or built: what is there can be used at once. @param {string} root */
export function isUpToDate(root) {
  return !isInstallDue(root) && isBuiltAs(root, stampOf(root));
}

function isBuiltAs(root, stamp) {
  const isBuilt = existsSync(join(root, 'apps', 'ingress', 'dist', 'main.js'));
  const stampFile = stampFileOf(root);
  return isBuilt && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp;
}

const stampFileOf = (root) => join(root, '.surety', 'build-stamp');

/** Changes when a source is added, removed, renamed or written, or other packages are installed. */
function stampOf(root) {
  const hash = createHash('sha256');
  const add = (file) => {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${file}\0${mtimeMs}\0${size}\n`);
  };
  for (const name of ['package-lock.json', 'tsconfig.json', 'tsconfig.base.json']) {
    if (existsSync(join(root, name))) add(join(root, name));
  }
  for (const name of SOURCE_ROOTS) {
    for (const file of filesBelow(join(root, name))) add(file);
  }
  return hash.digest('hex');
}

function filesBelow(directory) {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { withFileTypes: true });
  return entries
    .filter((entry) => !NOT_SOURCES.has(entry.name) && !entry.name.endsWith('.tsbuildinfo'))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

function runNpm(root, args) {
  const isWindows = process.platform === 'win32';
  const npm = track(
    spawn(isWindows ? 'npm.cmd' : 'npm', args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: isWindows,
    }),
  );
  return new Promise((resolve, reject) => {
    npm.once('error', reject);
    npm.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`npm ${npmWords(args)} ended with code ${code}`)),
    );
  });
}

const npmWords = (args) => args.filter((word) => !word.startsWith('-')).join(' ');
