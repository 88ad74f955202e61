import { isEnded } from '@surety/domain';
import type { Changes } from '@surety/saga';
import { count, dateTime, jsonRows, uuidHex, word } from '../../connection/literals.js';
import { guard, sortedBy } from './shape.js';

type TransferUpdates = Changes['transfersUpdated'];

/**
 * Caller: transact. Index: PRIMARY (id), one lookup for each row of the JSON table. Locks: rows that
 * this transaction has locked already. Rows: those of the batch, in one statement.
 * Fewer affected rows mean that a state is not what was read under lock: the guard stops the packet.
 */
export function updateTransfers(updates: TransferUpdates): string[] {
  if (updates.length === 0) return [];
  const rows = sortedBy(updates, (update) => update.id).map((update) => {
    // Words are checked as such here because their quotes are JSON's.
    for (const code of [update.from, update.to, update.reason]) if (code !== null) word(code);
    return [uuidHex(update.id), update.from, update.to, update.reason];
  });
  return [
    `UPDATE JSON_TABLE(${jsonRows(rows)}, '$[*]' COLUMNS (` +
      "id CHAR(32) CHARACTER SET ascii PATH '$[0]', " +
      "state_before VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin PATH '$[1]', " +
      "state_after VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin PATH '$[2]', " +
      "reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PATH '$[3]'" +
      ')) AS n STRAIGHT_JOIN transfers AS t FORCE INDEX (PRIMARY) ' +
      'ON t.id = UNHEX(n.id) AND t.state = n.state_before ' +
      'SET t.state = n.state_after, t.reason = n.reason',
    guard(rows.length),
  ];
}

/**
 * Caller: transact, for transfers that end. Index: PRIMARY (slot, since, transfer_id), one lookup for
 * each row of the JSON table (see deleteHolds). Locks: those rows. Rows: those of the batch.
 * Fewer affected rows mean that an open transfer was not listed: the guard stops the packet.
 */
export function deleteOpenTransfers(updates: TransferUpdates): string[] {
  const ended = updates.filter((update) => isEnded(update.to));
  if (ended.length === 0) return [];
  const rows = sortedBy(ended, (update) => update.id).map((update) => [
    count(update.slot),
    dateTime(update.requestedAt),
    uuidHex(update.id),
  ]);
  return [
    `DELETE o FROM JSON_TABLE(${jsonRows(rows)}, '$[*]' COLUMNS (` +
      "slot SMALLINT UNSIGNED PATH '$[0]', since DATETIME(6) PATH '$[1]', " +
      "id CHAR(32) CHARACTER SET ascii PATH '$[2]'" +
      ')) AS n STRAIGHT_JOIN open_transfers AS o FORCE INDEX (PRIMARY) ' +
      'ON o.slot = n.slot AND o.since = n.since AND o.transfer_id = UNHEX(n.id)',
    guard(rows.length),
  ];
}
