import { isEnded } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import type { Changes } from '@surety/saga';
import {
  count,
  dateTime,
  jsonRows,
  time,
  uuid,
  uuidHex,
  word,
  wordOrNull,
} from '../../connection/literals.js';
import { ALONE_MAX, chunksOf, eachGuarded, guard, sortedBy } from './shape.js';

type TransferUpdates = Changes['transfersUpdated'];

/**
 * Caller: transact. Index: PRIMARY (id), by lists of at most VALUES_MAX. Locks: rows that this
 * transaction has locked already. Rows: those of the batch, one statement for each change of state and
 * reason, of which a batch has a few: a list takes two thirds of the time of a JSON table.
 * Fewer affected rows mean that a state is not what was read under lock, or that a transfer is given
 * twice: the guard stops the packet.
 */
export function updateTransfers(updates: TransferUpdates): string[] {
  return movesOf(updates).flatMap(({ from, to, reason, ids }) => {
    const move = `SET state = ${word(to)}, reason = ${wordOrNull(reason)} WHERE state = ${word(from)}`;
    return chunksOf(ids.sort()).flatMap((chunk) => [
      `UPDATE transfers FORCE INDEX (PRIMARY) ${move} AND id IN (${chunk.map(uuid).join(',')})`,
      guard(chunk.length),
    ]);
  });
}

type Move = Pick<TransferUpdates[number], 'from' | 'to' | 'reason'> & {
  readonly ids: TransferId[];
};

/** Few, and found by comparing: a text that stands for a move would be made and hashed for each update. */
function movesOf(updates: TransferUpdates): Move[] {
  const moves: Move[] = [];
  for (const { id, from, to, reason } of updates) {
    const known = moves.find(
      (move) => move.to === to && move.from === from && move.reason === reason,
    );
    if (known) known.ids.push(id);
    else moves.push({ from, to, reason, ids: [id] });
  }
  return moves;
}

/**
 * Caller: transact, for transfers that end. Index: PRIMARY (slot, since, transfer_id), one lookup for
 * each row of the JSON table, or one a statement (see deleteHolds). Locks: those rows. Rows: those of
 * the batch whose id lies where the list is kept, which are those that took long. Fewer affected rows
 * mean that an open transfer was not listed: the guard stops the packet.
 */
export function deleteOpenTransfers(updates: TransferUpdates, listedBelow: TransferId): string[] {
  const ended = updates.filter((update) => update.id < listedBelow && isEnded(update.to));
  if (ended.length === 0) return [];
  const sorted = sortedBy(ended, (update) => update.id);
  if (sorted.length <= ALONE_MAX) return eachGuarded(sorted.map(deleteOpenTransfer));
  const rows = sorted.map((update) => [
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

function deleteOpenTransfer({ slot, requestedAt, id }: TransferUpdates[number]): string {
  return (
    'DELETE o FROM open_transfers AS o FORCE INDEX (PRIMARY) ' +
    `WHERE o.slot = ${count(slot)} AND o.since = ${time(requestedAt)} AND o.transfer_id = ${uuid(id)}`
  );
}
