import type { Timestamp } from '@surety/contracts';
import { readBigint, readTime } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';

export interface PlacementRead {
  readonly epoch: bigint;
  readonly now: Timestamp;
}

/**
 * Caller: every transaction, first of all. Index: PRIMARY. Locks: the one row of placement, shared.
 * Rows: exactly one; none means that the shard was never migrated.
 * The time is the database's at the start of the transaction.
 */
export const LOCK_PLACEMENT =
  'SELECT epoch, NOW(6) FROM placement FORCE INDEX (PRIMARY) WHERE id = 1 LOCK IN SHARE MODE';

export function readPlacementRow([epoch, now]: Row): PlacementRead {
  return { epoch: readBigint(epoch), now: readTime(now) };
}
