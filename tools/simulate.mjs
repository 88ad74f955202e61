/**
 * `npm run simulate -- --seed 42` runs one simulated history and shows it where a promise breaks;
 * `npm run simulate -- --minutes 10` runs fresh ones until the time is over or one breaks;
 * `npm run simulate -- --model` goes through every order of one transfer and of two, and counts.
 * Exits 0, 1 where a promise was broken, 2 where it could not run.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
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
  build();
  transpile();
  const { simulate } = await import(pathToFileURL(join(OUTPUT, 'simulate.js')).href);
  const { report } = await import(pathToFileURL(join(OUTPUT, 'trace.js')).href);
  const model = await import(pathToFileURL(join(OUTPUT, 'small-model-cases.js')).href);
  return { simulate, report, model };
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

class Totals {
  startedAtMs = performance.now();
  histories = 0;
  transfers = 0;
  commits = 0;
  violations = 0;
  faults = new Map();

  add({ transfers, commits, violations, faults }) {
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
      `(${Math.round(this.transfers / seconds)}/s), ${this.commits} committed states checked, ` +
      `${faults} faults, ${this.violations} violations`
    );
  }

  print() {
    console.log(this.line());
    const width = Math.max(0, ...[...this.faults.keys()].map((kind) => kind.length));
    for (const [kind, count] of [...this.faults].sort()) {
      console.log(`  ${kind.padEnd(width)}  ${count}`);
    }
  }
}

async function explore({ simulate, report }, { seed, minutes, transfers }) {
  const totals = new Totals();
  const endsAtMs = performance.now() + minutes * MS_PER_MINUTE;
  let reportedAtMs = performance.now();
  let next = seed ?? Math.floor(Math.random() * SEED_BOUND);
  do {
    const result = await simulate({ seed: next, transfers });
    totals.add(result);
    if (result.violations.length > 0) {
      console.log(report(result));
      break;
    }
    if (performance.now() - reportedAtMs > REPORT_EVERY_MS) {
      console.log(totals.line());
      reportedAtMs = performance.now();
    }
    next = (next + 1) % SEED_BOUND;
  } while (performance.now() < endsAtMs);
  totals.print();
  return totals.violations === 0 ? 0 : 1;
}

const HELP = `npm run simulate -- [options]      (after npm install)

  --seed N        the history of this seed, with a trace where a promise breaks
  --transfers N   how many it begins with (${TRANSFERS}); part of the history
  --minutes N     fresh seeds for so long
  --model         every order of one and of two transfers, enumerated; takes no seed

Exit code: 0 every promise held, 1 one was broken, 2 could not run.`;

async function run(wanted) {
  const parts = await load();
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
  return { seed, minutes, transfers, isModel: values.model, help: values.help };
}

try {
  const wanted = readArguments();
  if (wanted.help) console.log(HELP);
  else process.exitCode = await run(wanted);
} catch (error) {
  // Wrong arguments need no stack; whatever else fails does.
  console.error(isUsage(error) ? `${error.message}\n\n${HELP}` : error);
  process.exitCode = 2;
}
