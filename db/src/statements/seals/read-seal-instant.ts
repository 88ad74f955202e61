import type { Timestamp } from '@surety/contracts';
import type { ShardId } from '@surety/domain';
import { StoreError } from '@surety/saga';
import { readBigint, readCount, readTime } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';
import { SEAL_COLUMNS, readSealRow } from './seal-rows.js';
import type { SealRow } from './seal-rows.js';

export interface SealInstant {
  readonly shard: ShardId;
  readonly epoch: bigint;
  readonly at: Timestamp;
  /** The last seal; undefined where nothing is sealed yet. */
  readonly head: SealRow | undefined;
}

/**
 * Whose ledger a snapshot shows, as of when, and its last seal.
 * Caller: sealer, verification, in a snapshot. Index: PRIMARY of placement and of ledger_seals, read
 * backwards. Locks: none. Rows: one of each.
 * @throws StoreError
 */
export async function readSealInstant(snapshot: Session): Promise<SealInstant> {
  const [placement, seals] = await snapshot.send([
    'SELECT shard, epoch, NOW(6) FROM placement WHERE id = 1',
    `SELECT ${SEAL_COLUMNS} FROM ledger_seals ORDER BY seal DESC LIMIT 1`,
  ]);
  const row = placement?.rows[0];
  if (!row) throw new StoreError('environment', 'the shard has no placement: it was not migrated');
  const last = seals?.rows[0];
  return {
    shard: readCount(row[0]),
    epoch: readBigint(row[1]),
    at: readTime(row[2]),
    head: last && readSealRow(last),
  };
}
