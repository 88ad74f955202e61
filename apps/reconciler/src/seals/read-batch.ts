import { readEntries, readPostings } from '@surety/db';
import type { EntryRange, Posting, Session, StepEntry } from '@surety/db';
import { stepKey } from './soundness.js';
import type { Postings } from './soundness.js';

/** Entries in memory at a time, with their steps and events. */
export const BATCH_ENTRIES_MAX = 1_000n;

export interface Batch {
  /** Of each account asked for, by number. */
  readonly entries: ReadonlyMap<string, readonly StepEntry[]>;
  readonly postings: Postings;
}

/**
 * Entries with the events of their steps.
 * @throws StoreError
 */
export async function readBatch(snapshot: Session, ranges: readonly EntryRange[]): Promise<Batch> {
  const found = await readEntries(snapshot, ranges);
  const entries = byAccount(found);
  const steps = new Map(found.map((entry) => [stepKey(entry), entry]));
  const postings = await readPostings(snapshot, [...steps.values()]);
  return { entries, postings: byStep(postings) };
}

export function byAccount(found: readonly StepEntry[]): ReadonlyMap<string, readonly StepEntry[]> {
  const entries = new Map<string, StepEntry[]>();
  for (const entry of found) {
    const known = entries.get(entry.account);
    if (known) known.push(entry);
    else entries.set(entry.account, [entry]);
  }
  return entries;
}

function byStep(postings: readonly Posting[]): Postings {
  return new Map(postings.map((posting) => [stepKey(posting), posting]));
}

export function rangeSize({ firstSeq, lastSeq }: Pick<EntryRange, 'firstSeq' | 'lastSeq'>): bigint {
  return lastSeq - firstSeq + 1n;
}

export function entriesOf(ranges: readonly EntryRange[]): bigint {
  return ranges.reduce((sum, range) => sum + rangeSize(range), 0n);
}
