import type { Timestamp } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import { readBigint, readTime, readUuid } from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';

export interface PlacementRead {
  readonly epoch: bigint;
  readonly now: Timestamp;
  /** Open transfers with ids before this one are listed in open_transfers, and no others. */
  readonly listedBelow: TransferId;
}

/**
 * Caller: every transaction, first of all. Index: PRIMARY. Locks: the one row of placement, shared:
 * what it says stays so until the transaction ends. Rows: exactly one; none means that the shard was
 * never migrated. The time is the database's at the start of the transaction.
 */
export const LOCK_PLACEMENT =
  'SELECT epoch, NOW(6), listed_below FROM placement FORCE INDEX (PRIMARY) WHERE id = 1 ' +
  'LOCK IN SHARE MODE';

export function readPlacementRow([epoch, now, listedBelow]: Row): PlacementRead {
  return { epoch: readBigint(epoch), now: readTime(now), listedBelow: readUuid(listedBelow) };
}
