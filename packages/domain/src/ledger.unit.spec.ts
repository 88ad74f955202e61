import { describe, expect, it } from '@jest/globals';
import { aTransferId, anAccount } from '@surety/testing';
import fc from 'fast-check';
import { InvariantViolation, balancedLegs, externalLegs, transitLegs } from './ledger.js';
import type { Leg } from './ledger.js';
import { STEP } from './steps.js';

const transferId = aTransferId('A', 1);
const after = anAccount('A', { balance: 70n, entrySeq: 5n });

function leg(fields: Partial<Leg>): Leg {
  return {
    transferId,
    step: STEP.end,
    account: 'A',
    slot: 1,
    currency: 'EUR',
    minor: 0n,
    entrySeq: null,
    balanceAfter: null,
    ...fields,
  };
}

describe('legs', () => {
  it.each<[string, Partial<Leg>[], RegExp]>([
    ['none', [], /in pairs/],
    ['a single one', [{ minor: 0n }], /in pairs/],
    ['two that do not cancel out', [{ minor: 5n }, { minor: -4n }], /sum to 1$/],
    ['two of different slots', [{ minor: 5n }, { minor: -5n, slot: 2 }], /mix slots/],
    ['two of different currencies', [{ minor: 5n }, { minor: -5n, currency: 'USD' }], /mix slots/],
  ])('%s are refused', (_, fields, message) => {
    const legs = fields.map(leg);
    expect(() => balancedLegs(legs)).toThrow(InvariantViolation);
    expect(() => balancedLegs(legs)).toThrow(message);
  });

  it('that sum to zero are passed on as they are, also three and also beyond 2^53', () => {
    const legs = [leg({ minor: 9007199254740993n }), leg({ minor: -9007199254740992n })];
    expect(() => balancedLegs(legs)).toThrow(/sum to 1$/);
    const three = [...legs, leg({ minor: -1n })];
    expect(balancedLegs(three)).toBe(three);
  });
});

describe('the legs of a posting', () => {
  it('against transit: the account records its sequence and balance, transit neither', () => {
    const posting = { transferId, step: STEP.end, after, signedMinor: -30n };
    expect(transitLegs(posting)).toEqual([
      leg({ slot: after.slot, minor: -30n, entrySeq: 5n, balanceAfter: 70n }),
      leg({ slot: after.slot, minor: 30n, account: `~transit:${after.slot}:EUR` }),
    ]);
  });

  it('against outside: the external account of the same slot and currency', () => {
    const posting = { transferId, step: STEP.end, after, signedMinor: 30n };
    expect(externalLegs(posting)).toEqual([
      leg({ slot: after.slot, minor: 30n, entrySeq: 5n, balanceAfter: 70n }),
      leg({ slot: after.slot, minor: -30n, account: `~external:${after.slot}:EUR` }),
    ]);
  });

  it('always sum to zero', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (signedMinor) => {
        const posting = { transferId, step: STEP.decide, after, signedMinor };
        for (const legs of [transitLegs(posting), externalLegs(posting)]) {
          expect(legs.reduce((sum, { minor }) => sum + minor, 0n)).toBe(0n);
        }
      }),
    );
  });
});
