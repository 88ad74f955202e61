import type { StepEntry } from '@surety/db';
import { digitsOfTransferId } from '@surety/domain';

/**
 * What a seal keeps of each entry, in a record of fixed length: transfer (16 bytes), step (2), the
 * first 16 bytes of the entry's hash. With it an entry is named after its row is gone.
 */
export interface EntryWitness {
  readonly transferId: string;
  readonly step: number;
  /** Hex. */
  readonly hashPrefix: string;
}

const TRANSFER_DIGITS = 32;
const STEP_DIGITS = 4;
const HASH_DIGITS = 32;
export const WITNESS_DIGITS = TRANSFER_DIGITS + STEP_DIGITS + HASH_DIGITS;

/** Hex digits, of a hash in hex. */
export function encodeWitness({ transferId, step }: StepEntry, entryHash: string): string {
  return (
    digitsOfTransferId(transferId) +
    step.toString(16).padStart(STEP_DIGITS, '0') +
    entryHash.slice(0, HASH_DIGITS)
  );
}

/** The witness of the entry at this place; undefined beyond the end. */
export function witnessAt(witnesses: string, place: number): EntryWitness | undefined {
  const record = witnesses.slice(place * WITNESS_DIGITS, (place + 1) * WITNESS_DIGITS);
  if (record.length < WITNESS_DIGITS) return undefined;
  return {
    transferId: record
      .slice(0, TRANSFER_DIGITS)
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    step: Number.parseInt(record.slice(TRANSFER_DIGITS, TRANSFER_DIGITS + STEP_DIGITS), 16),
    hashPrefix: record.slice(-HASH_DIGITS),
  };
}

export function isWitnessed(witness: EntryWitness, entryHash: string): boolean {
  return entryHash.startsWith(witness.hashPrefix);
}
