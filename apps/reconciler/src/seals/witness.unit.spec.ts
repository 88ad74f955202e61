import { describe, expect, it } from '@jest/globals';
import type { StepEntry } from '@surety/db';
import { WITNESS_DIGITS, encodeWitness, isWitnessed, witnessAt } from './witness.js';

const A = '01890a5d-ac96-774b-bcce-b302099a8057';
const B = 'ffffffff-ffff-7fff-bfff-ffffffffffff';

function entry(transferId: string, step: number): StepEntry {
  return { account: 'ACC001', entrySeq: 1n, transferId, step, leg: 0, legs: [] };
}

describe('the witness of an entry', () => {
  const hash = 'ab'.repeat(32);
  const last = 'cd'.repeat(32);
  const witnesses = encodeWitness(entry(A, 40), hash) + encodeWitness(entry(B, 65_535), last);

  it('has a fixed length and is found by its place', () => {
    expect(witnesses).toHaveLength(2 * WITNESS_DIGITS);
    expect(witnessAt(witnesses, 0)).toEqual({
      transferId: A,
      step: 40,
      hashPrefix: 'ab'.repeat(16),
    });
    expect(witnessAt(witnesses, 1)).toMatchObject({ transferId: B, step: 65_535 });
    expect(witnessAt(witnesses, 2)).toBeUndefined();
    expect(witnessAt(witnesses.slice(2), 1)).toBeUndefined();
  });

  it('knows its entry by the first half of the hash', () => {
    const witness = witnessAt(witnesses, 0)!;
    expect(isWitnessed(witness, hash)).toBe(true);
    expect(isWitnessed(witness, last)).toBe(false);
    const nearly = `${'ab'.repeat(15)}aa${'ab'.repeat(16)}`;
    expect(isWitnessed(witness, nearly)).toBe(false);
  });
});
