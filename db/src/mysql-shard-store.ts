import { shardOfSlot } from '@surety/domain';
import type { ShardId, SlotMap } from '@surety/domain';
import { StoreError, keyOf, readingAllKeys } from '@surety/saga';
import type {
  Fence,
  LoadRequest,
  Loaded,
  Planned,
  RoutableStore,
  ShardStore,
  SlotMaps,
} from '@surety/saga';
import { backoffMs, pause } from './connection/backoff.js';
import type { ConnectionPool, Link, StatementResult } from './connection/connection-pool.js';
import { LOCK_TIMEOUT, failureOf } from './connection/driver-errors.js';
import { storeError } from './connection/session.js';
import { checkFence } from './statements/leases/check-fence.js';
import { lockAccounts } from './statements/transact/lock-accounts.js';
import { lockDecisions } from './statements/transact/lock-decisions.js';
import { lockKeys } from './statements/transact/lock-keys.js';
import { LOCK_PLACEMENT, readPlacementRow } from './statements/transact/lock-placement.js';
import type { PlacementRead } from './statements/transact/lock-placement.js';
import { lockTransfers } from './statements/transact/lock-transfers.js';
import type { LockRead } from './statements/transact/shape.js';
import { writeChanges } from './statements/transact/write-changes.js';

/**
 * Attempts of one transaction. Bounds the time that a batch spends on rows that others keep taking,
 * or on a duplicate that its reads cannot see.
 */
export const TRANSACTION_ATTEMPTS_MAX = 8;
/**
 * Each lock time-out has cost three seconds. Together they outlast wait_timeout (10 s): the locks of
 * an owner that froze are gone within the last attempt, and nobody has to begin anew for them.
 */
export const LOCK_TIMEOUT_ATTEMPTS_MAX = 4;

export interface StoreOptions {
  readonly shard: ShardId;
  readonly pool: ConnectionPool;
  readonly slotMaps: Pick<SlotMaps, 'current'>;
  /** Partitions of each topic that outbox rows are spread over. */
  readonly partitions: number;
}

interface RoutedWork<R> {
  /** Of the map that the caller routed with: the same in every attempt. */
  readonly epoch: bigint;
  readonly fence?: Fence | undefined;
  readonly load: LoadRequest;
  readonly decide: (loaded: Loaded) => Planned<R>;
}

/** The port of the steps over one MySQL schema: two round trips a transaction, whatever its size. */
export class MySqlShardStore implements RoutableStore {
  readonly shard: ShardId;
  readonly #pool: ConnectionPool;
  readonly #slotMaps: Pick<SlotMaps, 'current'>;
  readonly #partitions: number;

  constructor({ shard, pool, slotMaps, partitions }: StoreOptions) {
    this.shard = shard;
    this.#pool = pool;
    this.#slotMaps = slotMaps;
    this.#partitions = partitions;
  }

  at(epoch: bigint, fence?: Fence): ShardStore {
    return {
      shard: this.shard,
      transact: (load, decide) => this.#transact({ epoch, fence, load, decide }),
    };
  }

  /** Work that is routed in this very moment; what waited since its routing goes through `at`. */
  transact<R>(load: LoadRequest, decide: (loaded: Loaded) => Planned<R>): Promise<R> {
    return this.#transact({ epoch: this.#slotMaps.current().epoch, load, decide });
  }

  async #transact<R>(work: RoutedWork<R>): Promise<R> {
    let { load } = work;
    const retries = new Retries(load.isImpatient ? 1 : LOCK_TIMEOUT_ATTEMPTS_MAX);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#pool.use((link) => this.#attempt(link, { ...work, load }));
      } catch (error) {
        const code = retryCodeOf(error);
        if (code === undefined || !retries.allows(code)) {
          throw storeError(error, `a transaction on shard ${this.shard}`);
        }
        this.#pool.metrics?.retry(code);
      }
      load = readingAllKeys(load);
      await pause(backoffMs(attempt));
    }
  }

  async #attempt<R>(link: Link, { epoch, fence, load, decide }: RoutedWork<R>): Promise<R> {
    const map = this.#slotMaps.current();
    const { placement, ...read } = await readUnderLock(link, { load, epoch, map });
    const loaded = { ...read, now: placement.now, partitions: this.#partitions };
    const { statements, result } = plan(loaded, placement, decide);
    const fenced = fence ? checkFence(fence, this.shard) : [];
    await commit(link, [...fenced, ...statements]);
    this.#pool.metrics?.commit();
    return result;
  }
}

/** The first round trip: every lock the transaction will hold, in lock order. */
async function readUnderLock(
  link: Link,
  { load, epoch, map }: { load: LoadRequest; epoch: bigint; map: SlotMap },
): Promise<Omit<Loaded, 'now' | 'partitions'> & { readonly placement: PlacementRead }> {
  const keys = lockKeys(load.keys ?? []);
  const transfers = lockTransfers(load.transfers ?? []);
  const decisions = lockDecisions(load.decisions ?? []);
  const accounts = lockAccounts(load.accounts ?? []);
  const reads = [keys, transfers, decisions, accounts].flatMap(({ statements }) => statements);
  const results = await link.send(['START TRANSACTION', LOCK_PLACEMENT, ...reads]);
  const placement = checkPlacement(results[1], epoch);
  let from = 2;
  const take = <T>({ statements, read }: LockRead<T>): T[] => {
    const taken = results.slice(from, from + statements.length);
    from += statements.length;
    return taken.flatMap(({ rows }) => rows.map(read));
  };
  return {
    placement,
    shardOf: (slot) => shardOfSlot(map, slot),
    keys: new Map(take(keys).map((row) => [keyOf(row), row])),
    transfers: new Map(take(transfers).map((row) => [row.id, row])),
    decisions: new Map(take(decisions).map((row) => [row.transferId, row])),
    accounts: new Map(take(accounts).map((row) => [row.id, row])),
  };
}

/** The placement, where the shard carries the map that the caller routed with. */
function checkPlacement(result: StatementResult | undefined, epoch: bigint): PlacementRead {
  const row = result?.rows[0];
  if (!row) throw new StoreError('environment', 'the shard has no placement: it was not migrated');
  const placement = readPlacementRow(row);
  if (placement.epoch !== epoch) {
    const message = `routed with epoch ${epoch}, the shard is at ${placement.epoch}`;
    throw new StoreError('epoch', message);
  }
  return placement;
}

/** Decides and composes the writes: what fails here fails for the sake of the data. */
function plan<R>(
  loaded: Loaded,
  placement: PlacementRead,
  decide: (loaded: Loaded) => Planned<R>,
): { statements: string[]; result: R } {
  try {
    const { changes, result } = decide(loaded);
    return { statements: writeChanges(changes, placement), result };
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('data', `the batch cannot be decided: ${reason}`, { cause });
  }
}

/** The second round trip: all writes and COMMIT at once, which stop at the first error. */
async function commit(link: Link, statements: readonly string[]): Promise<void> {
  try {
    await link.write([...statements, 'COMMIT']);
  } catch (cause) {
    const { kind, code, mayBeCommitted } = failureOf(cause);
    if (kind !== 'environment') throw cause;
    throw new StoreError('environment', `the commit was not acknowledged (${code})`, {
      cause,
      outcomeUnknown: mayBeCommitted,
    });
  }
}

/** The error's number where the whole transaction may be tried again. */
function retryCodeOf(error: unknown): string | undefined {
  if (error instanceof StoreError) return undefined;
  const { kind, code } = failureOf(error);
  return kind === 'contention' || kind === 'duplicate' ? code : undefined;
}

/** Counts the failed attempts of one transaction. */
class Retries {
  readonly #lockTimeoutsMax: number;
  #failed = 0;
  #lockTimeouts = 0;

  constructor(lockTimeoutsMax: number) {
    this.#lockTimeoutsMax = lockTimeoutsMax;
  }

  allows(code: string): boolean {
    this.#failed += 1;
    if (code === LOCK_TIMEOUT) this.#lockTimeouts += 1;
    return this.#failed < TRANSACTION_ATTEMPTS_MAX && this.#lockTimeouts < this.#lockTimeoutsMax;
  }
}
