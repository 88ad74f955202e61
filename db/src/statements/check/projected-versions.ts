import type { AccountId, TransferId } from '@surety/domain';
import { readBigint, readText, readUuid } from '../../connection/cells.js';
import { listed, uuid, word } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Cell, Session } from '../../connection/session.js';
import { chunksOf } from '../transact/shape.js';

/**
 * How far the projected balances of these accounts have come; accounts without one are missing.
 * Caller: checks, on the live shard. Index: PRIMARY (account_id). Locks: none. Rows: at most those
 * asked for, VALUES_MAX a statement.
 * @throws StoreError
 */
export function projectedBalanceVersions(
  session: Session,
  ids: readonly AccountId[],
): Promise<ReadonlyMap<AccountId, bigint>> {
  const select = 'SELECT account_id, version FROM balances FORCE INDEX (PRIMARY) WHERE account_id';
  return readVersions(session, { ids, select, write: word, read: readText });
}

/**
 * The same of the projected ends of these transfers; a version is the number of a step.
 * Caller: checks, on the live shard. Index: PRIMARY (transfer_id). Locks: none. Rows: at most those
 * asked for, VALUES_MAX a statement.
 * @throws StoreError
 */
export function projectedStatusVersions(
  session: Session,
  ids: readonly TransferId[],
): Promise<ReadonlyMap<TransferId, bigint>> {
  const select =
    'SELECT transfer_id, version FROM transaction_status FORCE INDEX (PRIMARY) WHERE transfer_id';
  return readVersions(session, { ids, select, write: uuid, read: readUuid });
}

interface VersionsOf<Id extends string> {
  readonly ids: readonly Id[];
  /** Up to the list of ids. */
  readonly select: string;
  readonly write: (id: Id) => string;
  readonly read: (cell: Cell | undefined) => Id;
}

async function readVersions<Id extends string>(
  session: Session,
  { ids, select, write, read }: VersionsOf<Id>,
): Promise<ReadonlyMap<Id, bigint>> {
  const versions = new Map<Id, bigint>();
  for (const chunk of chunksOf(ids)) {
    const sql = `${select} IN (${listed(chunk, write)})`;
    const rows = await readRows(session, sql, (row) => [read(row[0]), readBigint(row[1])] as const);
    for (const [id, version] of rows) versions.set(id, version);
  }
  return versions;
}
