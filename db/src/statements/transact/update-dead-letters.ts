import type { Timestamp } from '@surety/contracts';
import type { DeadLetterHandling } from '@surety/saga';
import { bytes, text, time, word } from '../../connection/literals.js';
import { guard } from './shape.js';

/**
 * Caller: transact. Index: dead_letters_by_letter. Locks: the row, exclusively; after the appends,
 * which other writers of letters do not share. Rows: one a statement, and an operator hands in one.
 * No affected row means that the letter is not open any more: the guard stops the packet.
 */
export function updateDeadLetters(
  handled: readonly DeadLetterHandling[],
  now: Timestamp,
): string[] {
  return handled.flatMap(({ letter, to, by, reason }) => [
    `UPDATE dead_letters SET state = ${word(to)}, handled_by = ${text(by)}, ` +
      `handled_reason = ${text(reason)}, handled_at = ${time(now)} ` +
      `WHERE letter = ${bytes(letter)} AND state = 'open'`,
    guard(1),
  ]);
}
