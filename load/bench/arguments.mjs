import { parseArgs } from 'node:util';
import { readEarlierResult } from './comparison.mjs';
import { scenariosOf } from './scenarios.mjs';

export const BENCH_HELP = `npm run bench -- [options]

Starts a fresh system on durable settings, warms it up, runs scenarios and prints what each
transfer cost. Needs nothing that runs already; what it starts it ends.

  --scenario NAME     only this one; may be given again (load/README.md lists them)
  --out FILE          where the result goes (default load/results/<date>.json)
  --compare FILE      prints ratios against an earlier result
  --mysql             MySQL instead of MariaDB
  --shards N          shards (default 2)
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

/**
 * What is to be run and compared with, all of it read before anything starts.
 * @throws Error naming what is wrong, in one line
 */
export function planOf(args) {
  const options = readBenchArguments(args);
  if (options.help) return { options, scenarios: [] };
  const scenarios = scenariosOf(options.scenarios).map((scenario) => adjusted(scenario, options));
  const earlier = options.compare === undefined ? undefined : readEarlierResult(options.compare);
  return { options, scenarios, earlier };
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
    shards: whole('--shards', values.shards, 1),
    seconds: optional('--seconds', values.seconds),
    callers: optional('--callers', values.callers),
    warmUpSeconds: whole('--warm-up', values['warm-up'], 0),
    bufferPoolMb: whole('--buffer-pool', values['buffer-pool'], 16),
    grown: optional('--grown', values.grown),
    seed: whole('--seed', values.seed, 1),
  };
}

function valuesOf(args) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // What follows the first sentence is advice on positional arguments, of which there are none.
    throw new Error(error.message.split(/\.\s/)[0], { cause: error });
  }
}

const optional = (name, text) => (text === undefined ? undefined : whole(name, text, 1));

function whole(name, text, least) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`${name} takes a whole number from ${least}, not ${text}`);
  }
  return value;
}
