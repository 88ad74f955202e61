import { randomFillSync } from 'node:crypto';
import { composeTransferId } from '@surety/domain';
import type { TransferId } from '@surety/domain';

const RANDOM_BYTES = 8;
/** One call to the system's randomness for many ids: it costs more than composing one. */
const POOL = Buffer.allocUnsafeSlow(RANDOM_BYTES * 512);
let taken = POOL.length;

/** A new id that begins now and carries the slot. */
export function newTransferId(slot: number): TransferId {
  if (taken === POOL.length) {
    randomFillSync(POOL);
    taken = 0;
  }
  const random = POOL.subarray(taken, taken + RANDOM_BYTES);
  taken += RANDOM_BYTES;
  return composeTransferId(Date.now(), slot, random);
}
