import type { AccountId } from '@surety/domain';
import {
  readBigint,
  readBigintOrNull,
  readCount,
  readHex,
  readText,
} from '../../connection/cells.js';
import { count, word } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

export interface SealedPosition {
  readonly seal: bigint;
  readonly entrySeq: bigint;
  /** After that entry, in minor units. */
  readonly balance: bigint;
  /** Of the part that sealed that entry. */
  readonly partHash: string;
}

/** An account whose entries are not those that are sealed. */
export interface UnsealedAccount {
  readonly id: AccountId;
  readonly slot: number;
  readonly currency: string;
  readonly balance: bigint;
  readonly entrySeq: bigint;
  /** undefined where nothing of it is sealed yet. */
  readonly sealed: SealedPosition | undefined;
}

/**
 * Accounts with another number of entries than is sealed, by id.
 * Caller: sealer, verification, in a snapshot. Index: PRIMARY of accounts, a range, each with its row
 * of ledger_seal_positions by PRIMARY: accounts are read, history is not. Locks: none. Rows: at most
 * `limit`.
 * @throws StoreError
 */
export function listUnsealedAccounts(
  snapshot: Session,
  after: AccountId | undefined,
  limit: number,
): Promise<UnsealedAccount[]> {
  const range = after === undefined ? '' : `a.id > ${word(after)} AND `;
  const sql =
    'SELECT a.id, a.slot, a.currency, a.balance, a.entry_seq, ' +
    'p.seal, p.entry_seq, p.balance, p.part_hash FROM accounts AS a FORCE INDEX (PRIMARY) ' +
    'LEFT JOIN ledger_seal_positions AS p FORCE INDEX (PRIMARY) ON p.account_id = a.id ' +
    `WHERE ${range}a.entry_seq <> COALESCE(p.entry_seq, 0) ORDER BY a.id LIMIT ${count(limit)}`;
  return readRows(snapshot, sql, (row) => {
    const seal = readBigintOrNull(row[5] ?? null);
    return {
      id: readText(row[0]),
      slot: readCount(row[1]),
      currency: readText(row[2]),
      balance: readBigint(row[3]),
      entrySeq: readBigint(row[4]),
      sealed:
        seal === null
          ? undefined
          : {
              seal,
              entrySeq: readBigint(row[6]),
              balance: readBigint(row[7]),
              partHash: readHex(row[8]),
            },
    };
  });
}
