/**
 * Real MySQL without root and without touching the system: Debian's packages for sid, read through
 * an apt configuration of our own, unpacked into the cache and run through their own loader.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedEntry } from './binary-cache.mjs';
import { runCommand, succeeds } from './run-command.mjs';

const PACKAGE = 'mysql-server-core';
/** What the server does not need to run; they would bring configuration scripts along. */
const LEFT_OUT = new Set(['perl', 'debconf', 'debconf-2.0', 'cdebconf', 'dpkg', 'debianutils']);
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const DOWNLOAD_DEADLINE_MS = 10 * 60_000;

/** The reason why real MySQL cannot be had on this machine; the tests of that tier are skipped. */
export class MySqlUnavailableError extends Error {
  /** @param {string} reason @param {{ cause?: unknown }} [options] */
  constructor(reason, options) {
    super(reason, options);
    this.name = 'MySqlUnavailableError';
  }
}

/**
 * The directory that the packages were unpacked into; fetched on first use.
 * @param {{ cacheDir: string, log: (line: string) => void }} options
 */
export async function mySqlPrefix({ cacheDir, log }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new MySqlUnavailableError(
      `the recipe is for Debian on x64, not ${process.platform}-${process.arch}`,
    );
  }
  return cachedEntry({
    cacheDir,
    key: 'mysql-9-debian-sid',
    fill: (directory) => unpackPackages(directory, log),
  });
}

async function unpackPackages(directory, log) {
  if (!(await succeeds('apt-get', ['--version']))) {
    throw new MySqlUnavailableError('apt-get is not on this machine');
  }
  const apt = join(directory, 'apt');
  try {
    const options = await privateApt(apt);
    log('MySQL: reading the package lists of Debian sid');
    await runCommand('apt-get', [...options, '-q', 'update'], { timeoutMs: DOWNLOAD_DEADLINE_MS });
    const names = await packagesNeeded(options);
    log(`MySQL: downloading ${names.length} packages (about 60 MB)`);
    const archives = join(apt, 'archives');
    mkdirSync(archives);
    await runCommand('apt-get', [...options, '-q', 'download', ...names], {
      cwd: archives,
      timeoutMs: DOWNLOAD_DEADLINE_MS,
    });
    log('MySQL: unpacking');
    for (const name of readdirSync(archives)) {
      await runCommand('dpkg', ['-x', join(archives, name), directory]);
    }
  } catch (error) {
    if (error instanceof MySqlUnavailableError) throw error;
    throw new MySqlUnavailableError(`its Debian packages could not be fetched: ${error.message}`, {
      cause: error,
    });
  }
  rmSync(apt, { recursive: true });
  if (!existsSync(join(directory, 'usr', 'sbin', 'mysqld'))) {
    throw new MySqlUnavailableError('the packages do not contain usr/sbin/mysqld');
  }
}

/** Options that make apt read our list only and write below `apt` only. */
async function privateApt(apt) {
  mkdirSync(join(apt, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(apt, 'cache', 'archives', 'partial'), { recursive: true });
  const source = join(apt, 'sid.list');
  const signedBy = existsSync(KEYRING) ? `[arch=amd64 signed-by=${KEYRING}]` : '[arch=amd64]';
  writeFileSync(source, `deb ${signedBy} ${await debianMirror()} sid main\n`);
  const settings = {
    'Dir::Etc::sourcelist': source,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::Cache': join(apt, 'cache'),
    'APT::Get::List-Cleanup': '0',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    // Root's apt would change to the user _apt, who may not enter our directory.
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** The mirror this machine already uses. */
async function debianMirror() {
  const format = ['--format', '$(REPO_URI)|$(RELEASE)|$(COMPONENT)', 'Created-By: Packages'];
  const targets = (await runCommand('apt-get', ['indextargets', ...format])).split('\n');
  for (const target of targets) {
    const [uri = '', release = '', component] = target.split('|');
    const isMain = component === 'main' && !/-(updates|security|backports)/.test(release);
    if (isMain && /\/debian\/?$/.test(uri)) return uri;
  }
  throw new MySqlUnavailableError('apt has no Debian source on this machine');
}

/** What the server depends on, walked by hand so that the left-out packages bring nothing along. */
async function packagesNeeded(options) {
  const quiet = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
  const flags = ['--recurse', ...quiet.map((kind) => `--no-${kind}`)];
  const text = await runCommand('apt-cache', [...options, 'depends', ...flags, PACKAGE]);
  const dependencies = parseDependencies(text);
  if (!dependencies.has(PACKAGE)) {
    throw new MySqlUnavailableError(`Debian sid has no package ${PACKAGE} today`);
  }
  const needed = new Set();
  const waiting = [PACKAGE];
  while (waiting.length > 0) {
    const name = waiting.pop();
    if (needed.has(name) || LEFT_OUT.has(name) || !dependencies.has(name)) continue;
    needed.add(name);
    waiting.push(...dependencies.get(name));
  }
  return [...needed].sort();
}

/**
 * Reads `apt-cache depends`: a package at the margin, its dependencies indented below; of
 * alternatives (`|Depends`) the last one counts, virtual packages (`<name>`) are skipped.
 * @param {string} text
 * @returns {Map<string, string[]>}
 */
export function parseDependencies(text) {
  const dependencies = new Map();
  let current;
  for (const line of text.split('\n')) {
    if (/^[a-z0-9]/.test(line)) {
      current = line.trim();
      dependencies.set(current, []);
      continue;
    }
    const match = /^ {2}(?:Pre)?Depends: ([a-z0-9][^\s:]*)/.exec(line);
    if (match && current) dependencies.get(current).push(match[1]);
  }
  return dependencies;
}
