import { composeTransferId } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { takeRandomBytes } from '@surety/runtime';

const RANDOM_BYTES = 8;

/** A new id that begins now and carries the slot. */
export function newTransferId(slot: number): TransferId {
  return composeTransferId(Date.now(), slot, takeRandomBytes(RANDOM_BYTES));
}
