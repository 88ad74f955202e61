/** The command line of `npm start`. */
import { parseArgs } from 'node:util';
import { SHARDS_MAX } from './shard-count.mjs';

const PORT_DEFAULT = 8080;

export const START_HELP = `npm start -- [options]

Brings up a whole Surety system on this machine and stays up until Ctrl-C.

  --shards N   number of shards of a new system (2); an existing one keeps its number.
               1, 2, 4, 8 and 16 keep every Kafka partition on one shard, so that a shard that is
               away holds up no other
  --fresh      drop all data under .surety/ first
  --no-demo    no demo accounts, no demo transfer
  --help       this text

PORT (8080) is the port for HTTP. SURETY_SHARDS, SURETY_KAFKA_BROKERS and SURETY_REDIS_URL
together name servers to use instead of starting any; SURETY_MIGRATION_SHARDS gives the same
shards with the right to change tables. HOLD_TIMEOUT and other SURETY_* reach the processes.

Wrong options, unknown SURETY_ names and another number of shards than the system has are refused
with exit code 2 before anything starts; wrong values of settings, listed together, with 78 as soon
as everything is built; what fails later ends in 1.
`;

/**
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ help: boolean, fresh: boolean, demo: boolean, shards?: number, port: number }}
 */
export function readStartArguments(argv, env) {
  const { values } = parseArgs({
    args: argv,
    options: {
      shards: { type: 'string' },
      fresh: { type: 'boolean', default: false },
      'no-demo': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const port = readInteger('PORT', env.PORT || String(PORT_DEFAULT), 65_535);
  const shards =
    values.shards === undefined ? undefined : readInteger('--shards', values.shards, SHARDS_MAX);
  return { help: values.help, fresh: values.fresh, demo: !values['no-demo'], shards, port };
}

function readInteger(name, text, max) {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  throw new Error(`${name} must be a whole number from 1 to ${max}, not '${text}'`);
}
