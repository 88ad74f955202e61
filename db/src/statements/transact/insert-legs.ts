import type { Timestamp } from '@surety/contracts';
import type { Leg } from '@surety/domain';
import { count, listed, time, uuid, word } from '../../connection/literals.js';
import { inStepOrder } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (transfer_id, step, leg); legs are numbered in the order they
 * come within their step. Locks: the new rows. Rows: those of the batch. A leg that exists raises
 * 1062.
 */
export function insertLegs(legs: readonly Leg[], now: Timestamp): string[] {
  if (legs.length === 0) return [];
  const postedAt = time(now);
  // In key order legs of one step keep their own, so that they can be counted as they lie.
  let before: Leg | undefined;
  let number = 0;
  const values = listed(inStepOrder(legs), (leg) => {
    const isSameStep = leg.transferId === before?.transferId && leg.step === before.step;
    number = isSameStep ? number + 1 : 0;
    before = leg;
    return (
      `(${uuid(leg.transferId)},${count(leg.step)},${number},${count(leg.slot)},` +
      `${word(leg.account)},${leg.entrySeq ?? 'NULL'},${leg.minor},${word(leg.currency)},` +
      `${leg.balanceAfter ?? 'NULL'},${postedAt})`
    );
  });
  return [
    'INSERT INTO ledger_entries (transfer_id, step, leg, slot, account_id, entry_seq, amount, ' +
      `currency, balance_after, posted_at) VALUES ${values}`,
  ];
}
