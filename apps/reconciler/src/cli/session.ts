import { shardOfSlot } from '@surety/domain';
import type { CurrencyTable } from '@surety/domain';
import { SHARD_URL, openShards, storedCurrencies } from '@surety/db';
import type { Shard, ShardPools } from '@surety/db';
import { parseEnvironment, settings } from '@surety/runtime';
import { tableWithStored } from '../currencies.js';
import { sweepShard } from '../sweep-shard.js';
import type { RoutableSweepShard } from '../sweeps/routing.js';
import type { CliHost } from './host.js';
import { noAnswer, noSystem } from './stopped-system.js';
import { withRunningSystem } from './system-file.js';

/** The names that a command reads: those of the processes, as far as it needs them. */
const shape = {
  SURETY_SHARDS: settings.shards(SHARD_URL),
  SURETY_POOL_SIZE: settings.positiveInteger(4),
  SURETY_CURRENCIES: settings.currencies(),
  SURETY_STALL_TIMEOUT: settings.duration('30s'),
  HOLD_TIMEOUT: settings.duration('5m'),
};

export interface SessionConfig {
  readonly holdTimeoutMs: number;
  readonly stallTimeoutMs: number;
}

/** The shards of a running system, open for one command. */
export interface Session {
  readonly pools: ShardPools;
  readonly config: SessionConfig;
  /** Of the environment, and what that does not say, as it is stored. */
  readonly currencies: CurrencyTable;
  readonly sweepShards: readonly RoutableSweepShard[];
  /** @throws RangeError where no shard carries the slot. */
  shardOf(slot: number): Shard;
}

/**
 * Opens the shards, runs the command, closes them again.
 * @throws ConfigurationError, CliError or StoreError where the command could not run.
 */
export async function withShards<T>(
  host: CliHost,
  command: (session: Session) => Promise<T>,
): Promise<T> {
  const environment = withRunningSystem(host.environment, host.directory);
  if (!environment['SURETY_SHARDS']) throw noSystem(host.directory);
  const values = parseEnvironment(shape, environment);
  const pools = openShards({
    urls: values.SURETY_SHARDS,
    poolSize: values.SURETY_POOL_SIZE,
    // What a command begins goes to the first, which is always there; a letter that is sent again
    // names its own, and the relay publishes it to another one where that is gone.
    partitions: 1,
  });
  try {
    await pools.ready().catch((error: unknown) => {
      throw noAnswer(host, error);
    });
    const { HOLD_TIMEOUT: holdTimeoutMs, SURETY_STALL_TIMEOUT: stallTimeoutMs } = values;
    const stored = await storedCurrencies(pools.shards);
    const currencies = tableWithStored(values.SURETY_CURRENCIES, stored);
    return await command(open(pools, { holdTimeoutMs, stallTimeoutMs }, currencies));
  } finally {
    await pools.close();
  }
}

function open(pools: ShardPools, config: SessionConfig, currencies: CurrencyTable): Session {
  const sweepShards = pools.shards.map(sweepShard);
  const idOf = (slot: number): number => shardOfSlot(pools.slotMaps.current(), slot);
  return {
    pools,
    config,
    currencies,
    sweepShards,
    shardOf: (slot) => pools.shards[idOf(slot)] as Shard,
  };
}
