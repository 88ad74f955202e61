import type { AccountId } from '@surety/domain';
import { word } from '../../connection/literals.js';

/** Entries of one account, both ends included. */
export interface EntryRange {
  readonly account: AccountId;
  readonly firstSeq: bigint;
  readonly lastSeq: bigint;
}

/** The condition of the entries `e` of these ranges. */
export function within(ranges: readonly EntryRange[]): string {
  return ranges
    .map(
      ({ account, firstSeq, lastSeq }) =>
        `(e.account_id = ${word(account)} AND e.entry_seq BETWEEN ${firstSeq} AND ${lastSeq})`,
    )
    .join(' OR ');
}

/** What is left of the ranges without some numbers of their accounts. */
export function withoutNumbers(
  ranges: readonly EntryRange[],
  numbers: readonly { readonly account: AccountId; readonly entrySeq: bigint }[],
): EntryRange[] {
  const left: EntryRange[] = [];
  for (const { account, firstSeq, lastSeq } of ranges) {
    const out = numbers.filter((one) => one.account === account).map(({ entrySeq }) => entrySeq);
    let from = firstSeq;
    for (const seq of [...out].sort(ascending)) {
      if (seq < from || seq > lastSeq) continue;
      if (from < seq) left.push({ account, firstSeq: from, lastSeq: seq - 1n });
      from = seq + 1n;
    }
    if (from <= lastSeq) left.push({ account, firstSeq: from, lastSeq });
  }
  return left;
}

function ascending(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
