import { count } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';
import { PART_COLUMNS, SEAL_COLUMNS, readPartRow, readSealRow } from './seal-rows.js';
import type { SealPartRow, SealRow } from './seal-rows.js';

/**
 * Seals by number, those after `after`.
 * Caller: verification, in a snapshot. Index: PRIMARY, a range. Locks: none. Rows: at most `limit`.
 * @throws StoreError
 */
export function listSeals(snapshot: Session, after: bigint, limit: number): Promise<SealRow[]> {
  const sql =
    `SELECT ${SEAL_COLUMNS} FROM ledger_seals WHERE seal > ${after} ` +
    `ORDER BY seal LIMIT ${count(limit)}`;
  return readRows(snapshot, sql, readSealRow);
}

/**
 * The parts of one seal, by account.
 * Caller: verification, in a snapshot. Index: PRIMARY, a range. Locks: none. Rows: those of the seal,
 * which the sealer bounds; at most `limit`.
 * @throws StoreError
 */
export function listSealParts(
  snapshot: Session,
  seal: bigint,
  limit: number,
): Promise<SealPartRow[]> {
  const sql =
    `SELECT ${PART_COLUMNS} FROM ledger_seal_parts FORCE INDEX (PRIMARY) WHERE seal = ${seal} ` +
    `ORDER BY account_id LIMIT ${count(limit)}`;
  return readRows(snapshot, sql, readPartRow);
}

/** Seals that have parts and no row of their own, and positions that lead to one. At most `limit`. */
export async function listLostSeals(snapshot: Session, limit: number): Promise<bigint[]> {
  const lost = (table: string): string =>
    `SELECT DISTINCT x.seal FROM ${table} AS x LEFT JOIN ledger_seals AS s ON s.seal = x.seal ` +
    `WHERE s.seal IS NULL ORDER BY x.seal LIMIT ${count(limit)}`;
  const results = await snapshot.send([lost('ledger_seal_parts'), lost('ledger_seal_positions')]);
  const seals = results.flatMap(({ rows }) => rows.map((row) => BigInt(String(row[0]))));
  return [...new Set(seals)].sort((a, b) => (a < b ? -1 : 1));
}
