/**
 * MariaDB carries out `BEGIN NOT ATOMIC …; END` as one statement and answers it once; a packet of
 * several statements is answered statement by statement, each with a send of the server's and a
 * wake-up of ours (docs/decisions/0062). MySQL has no such blocks.
 */

/**
 * Put behind a connection's first statements. What stands in such a comment is carried out by MariaDB
 * and skipped by MySQL, whatever version a proxy gives out; a proxy that does not let blocks through
 * fails here, before there is anything to lose.
 */
export const ASK_FOR_BLOCKS =
  '/*M!100600 BEGIN NOT ATOMIC */ SELECT 0 /*M!100600 + 1 */ AS takes_blocks /*M!100600 ; END */';

const IN_A_BLOCK = 1;

/** Of the results of a packet with `ASK_FOR_BLOCKS` in it, rows as arrays. */
export function answersFromBlock(results: unknown): boolean {
  const rows = Array.isArray(results) ? results.find(Array.isArray) : undefined;
  return Array.isArray(rows) && Array.isArray(rows[0]) && Number(rows[0][0]) === IN_A_BLOCK;
}

/**
 * The longest text that goes as a block, in characters. The server keeps the parse trees of a whole
 * block at a time: from here on that costs it more than the answers do.
 */
export const BLOCK_TEXT_MAX = 16_384;

/** Statements as one block: carried out in order up to the first error, which is the block's own. */
export function asBlock(text: string): string {
  return `BEGIN NOT ATOMIC\n${text};\nEND`;
}
