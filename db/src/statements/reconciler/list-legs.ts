import type { Leg, Step, TransferId } from '@surety/domain';
import {
  readBigint,
  readBigintOrNull,
  readCount,
  readText,
  readUuid,
} from '../../connection/cells.js';
import { uuid } from '../../connection/literals.js';
import { readRows } from '../../connection/session.js';
import type { Session } from '../../connection/session.js';

/**
 * The legs that a transfer has on this shard, by step.
 * Caller: CLI. Index: PRIMARY (transfer_id, step, leg). Locks: none. Rows: two for each posting step.
 * @throws StoreError
 */
export function listLegs(session: Session, id: TransferId): Promise<Leg[]> {
  const sql =
    'SELECT transfer_id, step, account_id, slot, currency, amount, entry_seq, balance_after ' +
    `FROM ledger_entries WHERE transfer_id = ${uuid(id)} ORDER BY transfer_id, step, leg`;
  return readRows(session, sql, (row) => ({
    transferId: readUuid(row[0]),
    step: readCount(row[1]) as Step,
    account: readText(row[2]),
    slot: readCount(row[3]),
    currency: readText(row[4]),
    minor: readBigint(row[5]),
    entrySeq: readBigintOrNull(row[6]),
    balanceAfter: readBigintOrNull(row[7]),
  }));
}
