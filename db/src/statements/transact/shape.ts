import type { Step, TransferId } from '@surety/domain';
import type { KeyRef } from '@surety/saga';
import type { Row } from '../../connection/cells.js';

/**
 * Values in one statement. Longer lists are cut into chunks that stay in key order: MariaDB rewrites
 * lists of 1,000 values into joins, whose locks come in another order (tried on both engines).
 */
export const VALUES_MAX = 500;

/** A row constructor counts each of its columns: two of them reach 1,000 values at 500 rows. */
export const PAIRS_MAX = 250;

/**
 * Ranges of an index in one statement of a check. Both engines find the ranges by the index and then
 * evaluate their OR chain again for every row, which costs about 23 ns a range; a statement of its own
 * costs as much as 7,000 of them. Of accounts with 1 to 100 new rows each, 25 are near the best.
 */
export const RANGES_MAX = 25;

/**
 * Up to this many rows are written by a statement each, with its values in it. A JSON table costs the
 * server 30 to 75 us before its first row, a statement by primary key 12 to 25 (docs/decisions/0053).
 */
export const ALONE_MAX = 2;

/** A lock read cut into statements, and how one of its rows is read. */
export interface LockRead<T> {
  readonly statements: readonly string[];
  readonly read: (row: Row) => T;
}

/** Sorted in the engine's order (ASCII bytes), without duplicates: the order locks are taken in. */
export function inLockOrder(keys: Iterable<string>): string[] {
  return [...new Set(keys)].sort();
}

export function chunksOf<T>(items: readonly T[], size: number = VALUES_MAX): T[][] {
  const chunks: T[][] = [];
  for (let from = 0; from < items.length; from += size) chunks.push(items.slice(from, from + size));
  return chunks;
}

/**
 * Rows in key order, so that two transactions that insert the same keys meet at the first one. Rows of
 * the same key stay as they come. Each key is made once.
 */
export function sortedBy<T>(rows: readonly T[], key: (row: T) => string): T[] {
  if (rows.length < 2) return [...rows];
  const keyed = rows.map((row) => ({ row, key: key(row) }));
  return keyed.sort(compareKeyed).map(({ row }) => row);
}

function compareKeyed(a: { readonly key: string }, b: { readonly key: string }): number {
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}

/** Rows of the key (transfer_id, step) in its order; those of one step stay as they come. */
export function inStepOrder<T extends StepRef>(rows: readonly T[]): T[] {
  return [...rows].sort(compareSteps);
}

interface StepRef {
  readonly transferId: TransferId;
  readonly step: Step;
}

function compareSteps(a: StepRef, b: StepRef): number {
  if (a.transferId === b.transferId) return a.step - b.step;
  return a.transferId < b.transferId ? -1 : 1;
}

/** The order of the primary key (slot, key_hash): reads lock and inserts write in the same one. */
export function compareKeys(a: KeyRef, b: KeyRef): number {
  return a.slot - b.slot || (a.keyHash < b.keyHash ? -1 : 1);
}

/**
 * Raises error 1690 where the statement before it changed other than `expected` rows, and so stops
 * the packet before its COMMIT: the sum passes the largest BIGINT. All rows were read under lock, so a
 * difference is a broken promise. SET and not DO: DO swallows errors. A subquery of two rows would
 * stop the packet too, at three times the price.
 */
export function guard(expected: number): string {
  return `SET @surety_guard = 9223372036854775807 + (ROW_COUNT() <> ${expected})`;
}

/** Each statement with a guard behind it that it changed exactly one row. */
export function eachGuarded(statements: readonly string[]): string[] {
  return statements.flatMap((statement) => [statement, guard(1)]);
}
