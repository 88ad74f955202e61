/**
 * `npm run drift`: things that say the same in two places still say the same. Prints what differs
 * and exits 1. The page of the API is compared with the built packages. The schema check needs these
 * and a database server (SURETY_TEST_MYSQL_URL, with DDL rights); without a URL it says that it was
 * skipped. With `--write` the dump of the fresh schema is checked in instead of compared.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { apiOf, apiPageFindings } from './drift/api-page.mjs';
import { isComplete } from './launch/install-and-build.mjs';
import { KNOWN_NAMES_SOURCE, knownNames } from './launch/settings-check.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SCHEMA_DUMP = 'db/schema/schema.sql';
const API_PAGE = 'docs/api.md';
const API_SOURCES = {
  contracts: 'packages/contracts/dist/index.js',
  domain: 'packages/domain/dist/index.js',
  ingress: 'apps/ingress/dist/routes.js',
};
const ENVIRONMENT_EXAMPLE = '.env.example';
const NODE_ARGUMENTS_SOURCE = 'packages/runtime/src/main-process.ts';
const ROOM_PARENTS = ['packages', 'apps'];
const NOT_OURS = new Set(['node_modules', 'dist', 'coverage']);
const DIFFERENCES_SHOWN = 5;

/** @typedef {{ findings: string[], skipped?: string }} Verdict */

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

function readJson(path) {
  return JSON.parse(read(path));
}

function folders(path) {
  return readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .filter((entry) => !NOT_OURS.has(entry.name))
    .map((entry) => (path === '.' ? entry.name : `${path}/${entry.name}`));
}

function rooms() {
  return ['db', ...ROOM_PARENTS.flatMap(folders)].filter((path) =>
    existsSync(join(root, path, 'package.json')),
  );
}

function sourcesUnder(path) {
  return readdirSync(join(root, path), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.split('/').some((part) => NOT_OURS.has(part)));
}

/** The names of the example, set or commented out: `NAME=` or `#NAME=`. */
function exampleNames() {
  const lines = read(ENVIRONMENT_EXAMPLE).matchAll(/^#? ?([A-Z][A-Z0-9_]*)=/gm);
  return new Set(Array.from(lines, (match) => match[1]));
}

/** Names without our prefix and names for tests are in no list: somebody must at least read them. */
function isReadSomewhere(name) {
  const word = new RegExp(`\\b${name}\\b`);
  return ['packages', 'apps', 'tools', 'tests', 'db']
    .flatMap(sourcesUnder)
    .some((file) => word.test(read(file)));
}

/** @returns {Verdict} */
function environmentNames() {
  const example = exampleNames();
  const known = knownNames(root);
  if (known.size === 0) return { findings: [`${KNOWN_NAMES_SOURCE} has no list KNOWN_NAMES`] };
  const missing = [...known].filter((name) => !example.has(name));
  const unknown = [...example].filter((name) => !known.has(name) && !isReadSomewhere(name));
  const stray = [...example].filter(
    (name) => name.startsWith('SURETY_') && !name.startsWith('SURETY_TEST_') && !known.has(name),
  );
  return {
    findings: [
      ...missing.map((name) => `${name} is missing in ${ENVIRONMENT_EXAMPLE}`),
      ...unknown.map((name) => `${name} is in ${ENVIRONMENT_EXAMPLE} and nobody reads it`),
      ...stray.map((name) => `${name} is in ${ENVIRONMENT_EXAMPLE} and processes refuse it`),
    ],
  };
}

/** @returns {Verdict} */
function readmes() {
  const expected = [...new Set([...folders('.'), ...rooms()])];
  const findings = expected
    .filter((path) => !existsSync(join(root, path, 'README.md')))
    .map((path) => `${path} has no README.md`);
  return { findings };
}

/** @returns {Verdict} */
function pins() {
  const findings = [];
  for (const path of ['.', ...rooms()]) {
    const manifest = readJson(`${path}/package.json`);
    const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = manifest;
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
    for (const [name, version] of Object.entries(all)) {
      if (!/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/.test(version)) {
        findings.push(`${path}/package.json: ${name} ${version} is no exact version`);
      }
    }
  }
  return { findings };
}

/**
 * A host in the lock file would tie every installation to one registry; one that leaves out other
 * platforms' packages is refused by `npm ci`. @returns {Verdict}
 */
function lockFile() {
  const lock = readJson('package-lock.json');
  const findings = Object.entries(lock.packages)
    .filter(([, entry]) => /^[a-z+]+:/.test(entry.resolved ?? ''))
    .map(([path]) => `package-lock.json: ${path} names the host it came from`);
  if (!isComplete(lock)) findings.push('package-lock.json leaves out optional packages');
  return { findings };
}

/** One Node on every platform and in the image, with the same arguments. @returns {Verdict} */
function nodeVersions() {
  const { optionalDependencies } = readJson('package.json');
  const pinned = Object.entries(optionalDependencies).filter(([name]) => name.startsWith('node-'));
  const [[, version]] = pinned;
  const [, argumentList] = /PROCESS_NODE_ARGUMENTS[^=]*= \[([^\]]*)\]/.exec(
    read(NODE_ARGUMENTS_SOURCE),
  );
  const dockerfile = read('Dockerfile');
  const missing = Array.from(argumentList.matchAll(/'([^']+)'/g), (match) => match[1]).filter(
    (argument) => !dockerfile.includes(argument),
  );
  const findings = pinned
    .filter(([, other]) => other !== version)
    .map(([name, other]) => `package.json: ${name} ${other} beside ${version}`);
  if (!dockerfile.includes(`NODE_IMAGE=node:${version.split('.')[0]}-`)) {
    findings.push(`Dockerfile: another Node than the pinned ${version}`);
  }
  return {
    findings: [...findings, ...missing.map((name) => `Dockerfile: NODE_OPTIONS without ${name}`)],
  };
}

/** What a room imports, what it declares and what it builds after are one list. @returns {Verdict} */
function references() {
  const findings = [];
  const byName = new Map(rooms().map((path) => [readJson(`${path}/package.json`).name, path]));
  for (const path of rooms()) {
    const declared = Object.keys(readJson(`${path}/package.json`).dependencies ?? {})
      .filter((name) => byName.has(name))
      .map((name) => byName.get(name));
    const built = (readJson(`${path}/tsconfig.json`).references ?? []).map((reference) =>
      relative(root, join(root, path, reference.path)),
    );
    if ([...declared].sort().join() !== [...built].sort().join()) {
      findings.push(`${path}: package.json names [${declared}], tsconfig.json [${built}]`);
    }
  }
  return { findings };
}

/** @returns {Promise<Verdict>} */
async function apiPage() {
  const missing = Object.values(API_SOURCES).filter((path) => !existsSync(join(root, path)));
  if (missing.length > 0) {
    return { findings: missing.map((path) => `${path} is not there: run npm run build first`) };
  }
  const modules = {};
  for (const [name, path] of Object.entries(API_SOURCES)) {
    modules[name] = await import(pathToFileURL(join(root, path)).href);
  }
  const findings = apiPageFindings(read(API_PAGE), apiOf(modules));
  return { findings: findings.map((finding) => `${API_PAGE}: ${finding}`) };
}

/** Runs the migrations in a schema of its own and dumps what they made. */
async function freshDump(serverUrl) {
  const index = join(root, 'db/dist/index.js');
  if (!existsSync(index)) throw new Error('db is not built: run npm run build first');
  const { dumpSchema, migrateShards } = await import(pathToFileURL(index).href);
  const { createConnection } = createRequire(join(root, 'db/package.json'))('mysql2/promise');
  const schema = `surety_drift_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${schema}`;
  const admin = await createConnection({ uri: serverUrl });
  try {
    await admin.query(`CREATE DATABASE ${schema}`);
    await migrateShards([url.href]);
    return await dumpSchema(url.href);
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${schema}`);
    await admin.end();
  }
}

/** @returns {Promise<Verdict>} */
async function schemaDump() {
  const serverUrl = process.env.SURETY_TEST_MYSQL_URL;
  if (!serverUrl) return { findings: [], skipped: 'SURETY_TEST_MYSQL_URL is not set' };
  const dump = await freshDump(serverUrl);
  if (process.argv.includes('--write')) writeFileSync(join(root, SCHEMA_DUMP), dump);
  const expected = read(SCHEMA_DUMP).trimEnd().split('\n');
  const actual = dump.trimEnd().split('\n');
  const length = Math.max(expected.length, actual.length);
  const findings = [];
  for (let line = 0; line < length && findings.length < DIFFERENCES_SHOWN; line += 1) {
    if (expected[line] === actual[line]) continue;
    findings.push(
      `${SCHEMA_DUMP}:${line + 1}: checked in ${JSON.stringify(expected[line] ?? '')}, ` +
        `migrated ${JSON.stringify(actual[line] ?? '')}`,
    );
  }
  return { findings };
}

const CHECKS = {
  'environment names': environmentNames,
  'a README in every folder': readmes,
  'exact versions': pins,
  'lock file': lockFile,
  'one Node': nodeVersions,
  'build references': references,
  'page of the API': apiPage,
  'schema dump': schemaDump,
};

let isClean = true;
for (const [name, check] of Object.entries(CHECKS)) {
  const { findings, skipped } = await check();
  const outcome = findings.length > 0 ? 'differs' : skipped ? `skipped: ${skipped}` : 'ok';
  console.log(`${name}: ${outcome}`);
  for (const finding of findings) console.log(`  ${finding}`);
  if (findings.length > 0) isClean = false;
}
process.exitCode = isClean ? 0 : 1;
