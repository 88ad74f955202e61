import type { Timestamp } from '@surety/contracts';
import { StoreError } from '@surety/saga';
import { backoffMs, pause } from './connection/backoff.js';
import type { Link } from './connection/connection-pool.js';
import { failureOf } from './connection/driver-errors.js';
import { linkSession, storeError } from './connection/session.js';
import type { Session } from './connection/session.js';
import type { Shard } from './shard-pools.js';
import { LOCK_PLACEMENT, readPlacementRow } from './statements/transact/lock-placement.js';

/** Attempts of one correction: bounds the time it spends on rows that others keep taking. */
const ATTEMPTS_MAX = 8;
/** An account of many legs takes its time; its row is locked that long. */
const EVIDENCE_TIMEOUT_MS = 60_000;

/** What a correction comes to: the statements that write it, none of them COMMIT. */
export interface Correction<R> {
  readonly statements: readonly string[];
  readonly result: R;
}

export interface CorrectionOptions {
  /** Of the map that the caller routed with. */
  readonly epoch: bigint;
  /** Judges under the same locks, and writes nothing. */
  readonly dryRun: boolean;
}

/**
 * One correction of rows that contradict each other: placement, then what `judge` locks and reads in
 * the same transaction, then all writes and COMMIT in one packet. `judge` locks in lock order and may
 * be called again after a lost deadlock.
 * @throws StoreError, and what `judge` throws: nothing is written then.
 */
export async function correct<R>(
  shard: Shard,
  { epoch, dryRun }: CorrectionOptions,
  judge: (session: Session, now: Timestamp) => Promise<Correction<R>>,
): Promise<R> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await shard.pool.use(async (link) => {
        const now = await begin(shard, link, epoch);
        const session = linkSession(shard.id, link, { timeoutMs: EVIDENCE_TIMEOUT_MS });
        const { statements, result } = await judge(session, now);
        const writes = dryRun || statements.length === 0 ? ['ROLLBACK'] : [...statements, 'COMMIT'];
        await link.send(writes);
        return result;
      });
    } catch (error) {
      if (!isContention(error) || attempt >= ATTEMPTS_MAX) {
        throw storeError(error, `a correction on shard ${shard.id}`);
      }
    }
    await pause(backoffMs(attempt));
  }
}

async function begin(shard: Shard, link: Link, epoch: bigint): Promise<Timestamp> {
  const [, result] = await link.send(['START TRANSACTION', LOCK_PLACEMENT]);
  const row = result?.rows[0];
  if (!row) throw new StoreError('environment', `shard ${shard.id} has no placement`);
  const placement = readPlacementRow(row);
  if (placement.epoch === epoch) return placement.now;
  const message = `routed with epoch ${epoch}, the shard is at ${placement.epoch}`;
  throw new StoreError('epoch', message);
}

/** A statement of the evidence wraps what the driver said. */
function isContention(error: unknown): boolean {
  const cause = error instanceof StoreError ? error.cause : error;
  return cause !== undefined && failureOf(cause).kind === 'contention';
}
