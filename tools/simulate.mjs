/**
 * `npm run simulate -- --seed 42` runs one simulated history and shows it where a promise breaks;
 * `npm run simulate -- --minutes 10` runs fresh ones until the time is over or one breaks;
 * `npm run simulate -- --model` goes through every order of one transfer and of two, and counts.
 * Exits 0, 1 where a promise was broken, 2 where it could not run.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { transformSync } from '@swc/core';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = join(ROOT, 'tests', 'simulation');
const OUTPUT = join(ROOT, 'node_modules', '.cache', 'surety-simulation');
const TRANSFERS = 100;
const SEED_BOUND = 2 ** 31;
const MS_PER_MINUTE = 60_000;
const REPORT_EVERY_MS = 10_000;

/** The specs' TypeScript has no build of its own. */
function transpile() {
  rmSync(OUTPUT, { recursive: true, force: true });
  mkdirSync(OUTPUT, { recursive: true });
  writeFileSync(join(OUTPUT, 'package.json'), '{"type":"module"}');
  for (const name of readdirSync(SOURCES)) {
    if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
    const { code } = transformSync(readFileSync(join(SOURCES, name), 'utf8'), {
      filename: name,
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    });
    writeFileSync(join(OUTPUT, name.replace(/\.ts$/, '.js')), code);
  }
}

function build() {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const apps = ['ingress', 'relay', 'workers', 'projector', 'reconciler'];
  const parts = ['packages/testing', ...apps.map((app) => join('apps', app))];
  const { status } = spawnSync(process.execPath, [tsc, '-b', ...parts], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the build failed');
}

async function load() {
  const { simulate } = await import(pathToFileURL(join(OUTPUT, 'simulate.js')).href);
  const { report } = await import(pathToFileURL(join(OUTPUT, 'trace.js')).href);
  const model = await import(pathToFileURL(join(OUTPUT, 'small-model-cases.js')).href);
  const { BUGS } = await import(pathToFileURL(join(OUTPUT, 'bugs.js')).href);
  return { simulate, report, model, BUGS };
}

/** All orders, not a sample of them. */
async function enumerate({ SMALL_CASES, LARGE_CASES, runCase }) {
  let exitCode = 0;
  for (const one of [...SMALL_CASES, ...LARGE_CASES]) {
    const { states, transitions, ends, violations } = await runCase(one);
    const found = `${states} states, ${transitions} transitions, ${violations.length} violations`;
    console.log(`${one.name}: ${found}; ends: ${[...ends].sort().join(', ')}`);
    for (const violation of violations) console.log(`  ${violation}`);
    if (violations.length > 0) exitCode = 1;
  }
  return exitCode;
}

/** Of all threads. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

class Totals {
  startedAtMs = performance.now();
  histories = 0;
  transfers = 0;
  commits = 0;
  violations = 0;
  restMs = 0;
  faults = new Map();

  add({ transfers, commits, violations, faults, restMs }) {
    this.restMs = Math.max(this.restMs, restMs);
    this.histories += 1;
    this.transfers += transfers;
    this.commits += commits;
    this.violations += violations.length;
    for (const [kind, count] of faults) this.faults.set(kind, (this.faults.get(kind) ?? 0) + count);
  }

  line() {
    const seconds = (performance.now() - this.startedAtMs) / 1_000;
    const faults = [...this.faults.values()].reduce((sum, count) => sum + count, 0);
    return (
      `${this.histories} histories, ${this.transfers} transfers ` +
      `(${this.per(seconds)}/s, ${this.per(cpuSeconds())} per CPU second), ` +
      `${this.commits} committed states checked, ` +
      `${faults} faults, ${this.violations} violations`
    );
  }

  per(seconds) {
    return Math.round(this.transfers / seconds);
  }

  print() {
    console.log(this.line());
    const width = Math.max(0, ...[...this.faults.keys()].map((kind) => kind.length));
    console.log(`at rest at most ${(this.restMs / 1_000).toFixed(1)} virtual s after the faults`);
    for (const [kind, count] of [...this.faults].sort()) {
      console.log(`  ${kind.padEnd(width)}  ${count}`);
    }
  }
}

/** Every n-th seed from the first on, until the time is over or a promise is broken. */
async function exploreFrom({ simulate, report }, { seed, step, transfers, bug, endsAtMs }, tell) {
  for (let next = seed; ; next = (next + step) % SEED_BOUND) {
    const result = await simulate({ seed: next, transfers, bug });
    const isBroken = result.violations.length > 0;
    tell({ ...result, trace: [], story: isBroken ? report(result) : undefined });
    if (isBroken || Date.now() >= endsAtMs) return;
  }
}

/** A thread for each core; the first broken promise ends them all. */
async function exploreInThreads(works, tell) {
  const threads = works.map((work) => new Worker(new URL(import.meta.url), { workerData: work }));
  const stop = () => Promise.all(threads.map((thread) => thread.terminate()));
  const ends = threads.map(
    (thread) =>
      new Promise((resolve, reject) => {
        thread.on('message', (result) => {
          tell(result);
          if (result.story !== undefined) void stop();
        });
        thread.once('error', reject);
        thread.once('exit', resolve);
      }),
  );
  try {
    await Promise.all(ends);
  } finally {
    await stop();
  }
}

/** Seeds are shared out among the cores: no history needs anything of another. */
async function explore(parts, { seed, minutes, transfers, bug }) {
  const totals = new Totals();
  const endsAtMs = Date.now() + minutes * MS_PER_MINUTE;
  const first = seed ?? Math.floor(Math.random() * SEED_BOUND);
  let reportedAtMs = performance.now();
  const tell = (result) => {
    totals.add(result);
    if (result.story !== undefined) console.log(result.story);
    if (performance.now() - reportedAtMs < REPORT_EVERY_MS) return;
    console.log(totals.line());
    reportedAtMs = performance.now();
  };
  const step = minutes > 0 ? availableParallelism() : 1;
  const work = { step, transfers, bug, endsAtMs };
  if (step === 1) await exploreFrom(parts, { ...work, seed: first }, tell);
  else {
    const works = Array.from({ length: step }, (_, at) => ({ ...work, seed: first + at }));
    await exploreInThreads(works, tell);
  }
  totals.print();
  return totals.violations === 0 ? 0 : 1;
}

const HELP = `npm run simulate -- [options]      (after npm install)

  --seed N        the history of this seed, with a trace where a promise breaks
  --transfers N   how many it begins with (${TRANSFERS}); part of the history
  --minutes N     fresh seeds for so long, on every core
  --bug NAME      with a planted mistake (tests/simulation/bugs.ts): it must be found
  --model         every order of one and of two transfers, enumerated; takes no seed

Exit code: 0 every promise held, 1 one was broken, 2 could not run.`;

async function run(wanted) {
  build();
  transpile();
  const parts = await load();
  if (wanted.bug !== undefined && !parts.BUGS.includes(wanted.bug)) {
    throw new Error(`--bug: one of ${parts.BUGS.join(', ')}`);
  }
  return wanted.isModel ? enumerate(parts.model) : explore(parts, wanted);
}

function isUsage(error) {
  return error.message.startsWith('--') || String(error.code).startsWith('ERR_PARSE_ARGS');
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: '0' },
      bug: { type: 'string' },
      transfers: { type: 'string', default: String(TRANSFERS) },
      model: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const seed = values.seed === undefined ? undefined : Number(values.seed);
  const minutes = Number(values.minutes);
  const transfers = Number(values.transfers);
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw new Error('--seed: a whole number');
  if (!(minutes >= 0)) throw new Error('--minutes is a number');
  if (!(Number.isInteger(transfers) && transfers > 0)) throw new Error('--transfers is a number');
  return { seed, minutes, transfers, bug: values.bug, isModel: values.model, help: values.help };
}

async function main() {
  try {
    const wanted = readArguments();
    if (wanted.help) console.log(HELP);
    else process.exitCode = await run(wanted);
  } catch (error) {
    // Wrong arguments need no stack; whatever else fails does.
    console.error(isUsage(error) ? `${error.message}\n\n${HELP}` : error);
    process.exitCode = 2;
  }
}

if (isMainThread) await main();
else await exploreFrom(await load(), workerData, (result) => parentPort.postMessage(result));
