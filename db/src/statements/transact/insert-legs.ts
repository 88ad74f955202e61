import type { Timestamp } from '@surety/contracts';
import type { Leg } from '@surety/domain';
import { count, time, uuid, word } from '../../connection/literals.js';
import { sortedBy } from './shape.js';

/**
 * Caller: transact. Index: PRIMARY (transfer_id, step, leg); legs are numbered in the order they
 * come within their step. Locks: the new rows. Rows: those of the batch. A leg that exists raises
 * 1062.
 */
export function insertLegs(legs: readonly Leg[], now: Timestamp): string[] {
  if (legs.length === 0) return [];
  const postedAt = time(now);
  const values = sortedBy(numbered(legs), ({ key }) => key).map(
    ({ leg, number }) =>
      `(${uuid(leg.transferId)},${count(leg.step)},${number},${count(leg.slot)},` +
      `${word(leg.account)},${leg.entrySeq ?? 'NULL'},${leg.minor},${word(leg.currency)},` +
      `${leg.balanceAfter ?? 'NULL'},${postedAt})`,
  );
  return [
    'INSERT INTO ledger_entries (transfer_id, step, leg, slot, account_id, entry_seq, amount, ' +
      `currency, balance_after, posted_at) VALUES ${values.join(',')}`,
  ];
}

function numbered(legs: readonly Leg[]): { leg: Leg; number: number; key: string }[] {
  const next = new Map<string, number>();
  return legs.map((leg) => {
    const step = `${leg.transferId}/${leg.step}`;
    const number = next.get(step) ?? 0;
    next.set(step, number + 1);
    return { leg, number, key: `${step}/${String(number).padStart(5, '0')}` };
  });
}
