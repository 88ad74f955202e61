import { fenceName } from '@surety/saga';
import type { Fence } from '@surety/saga';
import type { ShardId } from '@surety/domain';
import { word } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';

/**
 * Raises error 1172 where the lease has a newer holding than the fence says, and so stops the packet
 * before its first write. No other statement of a packet raises that error.
 *
 * Caller: transact, at the head of the packet that commits; it costs no round trip of its own, and
 * the row is locked for the time of that packet only: a holder that froze before it keeps nobody
 * from taking the lease. Index: PRIMARY (name). Rows: one.
 * Locks: after placement, keys, transfers, decisions and accounts. On the lease's own shard the row
 * of `leases`, shared: nobody takes the lease before this transaction has ended. On another shard
 * the row of `lease_fences`, exclusively: the highest token seen is remembered there.
 */
export function checkFence(fence: Fence, here: ShardId): string[] {
  const token = fence.token.toString();
  const isOwn = fence.shard === here;
  const seen = isOwn
    ? 'SELECT MAX(token) INTO @surety_fence FROM leases FORCE INDEX (PRIMARY) ' +
      `WHERE name = ${word(fence.lease)} LOCK IN SHARE MODE`
    : 'SELECT MAX(token) INTO @surety_fence FROM lease_fences FORCE INDEX (PRIMARY) ' +
      `WHERE name = ${word(fenceName(fence))} LOCK IN SHARE MODE`;
  return [
    ...(isOwn ? [] : [raise(fence)]),
    seen,
    'SELECT 1 INTO @surety_guard FROM (SELECT 1 AS n UNION ALL SELECT 2) AS twice ' +
      `WHERE n = 1 OR COALESCE(@surety_fence, 0) <> ${token}`,
  ];
}

/** An upsert that changes nothing where the token is known: 0 rows, and the row stays locked. */
function raise(fence: Fence): string {
  const token = fence.token.toString();
  return (
    `INSERT INTO lease_fences (name, token) VALUES (${word(fenceName(fence))}, ${token}) ` +
    `ON DUPLICATE KEY UPDATE token = GREATEST(token, ${token})`
  );
}

/**
 * Makes a new holding known on a shard where its lease does not lie: from then on whatever the
 * holder before sends there is refused.
 * Caller: the new holder, before its first work. Index: PRIMARY (name). Locks: the one row.
 * Rows: one; changed only where the token is higher than the one seen.
 * @throws StoreError
 */
export async function raiseFence(session: Session, fence: Fence): Promise<void> {
  await session.send([raise(fence)]);
}
