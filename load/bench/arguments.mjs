import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { refuseWrongSettings } from '../../tools/launch/settings-check.mjs';
import { SHARDS_MAX } from '../../tools/launch/shard-count.mjs';
import { readEarlierResult } from './comparison.mjs';
import { refuseUnwritable } from './result-file.mjs';
import { scenariosOf } from './scenarios.mjs';

const root = join(import.meta.dirname, '..', '..');

export const BENCH_HELP = `npm run bench -- [options]

Starts a fresh system on durable settings, warms it up, runs scenarios and prints what each
transfer cost. Needs nothing that runs already; what it starts it ends.

  --scenario NAME     only this one; may be given again (load/README.md lists them)
  --out FILE          where the result goes, in a folder that is there
                      (default load/results/<date>.json)
  --compare FILE      prints ratios against an earlier result
  --mysql             MySQL instead of MariaDB
  --shards N          shards, 1 to 64 (default 2)
  --seconds N         length of each scenario instead of its own
  --callers N         callers of closed loops instead of 128
  --warm-up N         seconds of load before the first scenario (default 120)
  --buffer-pool MB    of the database server (default 1024)
  --profile DIR       keeps a CPU profile of each process there (costs some speed)
  --grown N           finished transfers before the scenario grown (default 5000000)
  --seed N            of the drawn accounts (default 1)
`;

const OPTIONS = {
  help: { type: 'boolean', default: false },
  scenario: { type: 'string', multiple: true, default: [] },
  out: { type: 'string' },
  compare: { type: 'string' },
  mysql: { type: 'boolean', default: false },
  profile: { type: 'string' },
  shards: { type: 'string', default: '2' },
  seconds: { type: 'string' },
  callers: { type: 'string' },
  // As long as Kafka's JVM compiles under load: after 45 s it still took twice what it takes later.
  'warm-up': { type: 'string', default: '120' },
  'buffer-pool': { type: 'string', default: '1024' },
  grown: { type: 'string' },
  seed: { type: 'string', default: '1' },
};

/** @type {Record<string, { least: number, most?: number }>} options that take a whole number */
const NUMBERS = {
  shards: { least: 1, most: SHARDS_MAX },
  seconds: { least: 1 },
  callers: { least: 1 },
  'warm-up': { least: 0 },
  'buffer-pool': { least: 16 },
  grown: { least: 1 },
  seed: { least: 1 },
};

/**
 * What is to be run and compared with, all of it read before anything starts.
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @throws Error naming what is wrong, in one line a mistake
 */
export function planOf(args, env) {
  const options = readBenchArguments(args);
  if (options.help) return { options, scenarios: [] };
  refuseSettings(env);
  const scenarios = scenariosOf(options.scenarios).map((scenario) => adjusted(scenario, options));
  const { compare } = options;
  const earlier = compare === undefined ? undefined : readEarlierResult(compare, scenarios);
  if (options.out !== undefined) refuseUnwritable(options.out);
  return { options, scenarios, earlier };
}

function refuseSettings(env) {
  refuseWrongSettings({ root, fresh: true }, env);
  // The check above lets them be named together alone.
  if (env.SURETY_SHARDS) {
    throw new Error('SURETY_SHARDS: the benchmark starts servers of its own, leave it away');
  }
}

function adjusted(scenario, { seconds, callers, grown }) {
  return {
    ...scenario,
    ...(scenario.grown && grown ? { grown } : {}),
    seconds: seconds ?? scenario.seconds,
    callers: scenario.callers === 128 ? (callers ?? 128) : scenario.callers,
  };
}

/** @throws Error naming what is wrong, in one line */
export function readBenchArguments(args) {
  const values = valuesOf(args);
  return {
    help: values.help,
    scenarios: values.scenario,
    out: values.out,
    compare: values.compare,
    profile: values.profile,
    engine: values.mysql ? 'mysql' : 'mariadb',
    shards: whole('shards', values.shards),
    seconds: whole('seconds', values.seconds),
    callers: whole('callers', values.callers),
    warmUpSeconds: whole('warm-up', values['warm-up']),
    bufferPoolMb: whole('buffer-pool', values['buffer-pool']),
    grown: whole('grown', values.grown),
    seed: whole('seed', values.seed),
  };
}

function valuesOf(args) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // What follows the first sentence is advice on positional arguments, of which there are none.
    const said = error.message.split(/\.\s/)[0];
    throw new Error(dashedValueOf(args, error) ?? said, { cause: error });
  }
}

/** Node calls `--seconds -1` ambiguous: the value may be an option of its own. */
function dashedValueOf(args, { message }) {
  const [, name] = /^Option '--([a-z-]+)' argument is ambiguous/.exec(message) ?? [];
  if (name === undefined) return undefined;
  const value = args.find((text, at) => args[at - 1] === `--${name}` && text.startsWith('-'));
  if (NUMBERS[name]) return notWhole(name, value);
  return `--${name} takes a value; one that begins with a dash is written --${name}=${value}`;
}

function whole(name, text) {
  if (text === undefined) return undefined;
  const { least, most = Number.MAX_SAFE_INTEGER } = NUMBERS[name];
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(notWhole(name, text));
}

function notWhole(name, text) {
  const { least, most } = NUMBERS[name];
  const range = most === undefined ? `from ${least}` : `from ${least} to ${most}`;
  return `--${name} takes a whole number ${range}, not ${text}`;
}
