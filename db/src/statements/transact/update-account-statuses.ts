import type { AccountStatusUpdate } from '@surety/saga';
import { jsonRows, word } from '../../connection/literals.js';
import { guard, sortedBy } from './shape.js';

const WORD = 'CHARACTER SET ascii COLLATE ascii_bin';

/**
 * Caller: transact. Index: PRIMARY (id), one lookup for each row of the JSON table. Locks: rows that
 * this transaction has locked already. Rows: those given, in one statement. The version stays: it
 * counts changes of balance and held. Fewer affected rows mean that a status is not what was read
 * under lock: the guard stops the packet.
 */
export function updateAccountStatuses(updates: readonly AccountStatusUpdate[]): string[] {
  if (updates.length === 0) return [];
  const rows = sortedBy(updates, ({ id }) => id).map(({ id, from, to }) => {
    word(id);
    return [id, from, to];
  });
  return [
    `UPDATE JSON_TABLE(${jsonRows(rows)}, '$[*]' COLUMNS (` +
      `id VARCHAR(64) ${WORD} PATH '$[0]', status_before VARCHAR(16) ${WORD} PATH '$[1]', ` +
      `status_after VARCHAR(16) ${WORD} PATH '$[2]'` +
      ')) AS n STRAIGHT_JOIN accounts AS a FORCE INDEX (PRIMARY) ' +
      'ON a.id = n.id AND a.status = n.status_before SET a.status = n.status_after',
    guard(rows.length),
  ];
}
