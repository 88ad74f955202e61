import { describe, expect, it } from '@jest/globals';
import type { SealPartRow, SealRow, StepEntry } from '@surety/db';
import fc from 'fast-check';
import { NO_HASH, encodeFields, hashEntry, hashPart, hashSeal } from './encoding.js';
import type { Field } from './encoding.js';

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';

const ENTRY: StepEntry = {
  account: 'ACC001',
  entrySeq: 3n,
  transferId: ID,
  step: 40,
  leg: 0,
  legs: [
    {
      leg: 0,
      slot: 7,
      account: 'ACC001',
      entrySeq: 3n,
      minor: -9007199254740993n,
      currency: 'EUR',
      balanceAfter: 12n,
      postedAt: '2026-01-31T10:15:30.123456Z',
    },
    {
      leg: 1,
      slot: 7,
      account: '~transit:7:EUR',
      entrySeq: null,
      minor: 9007199254740993n,
      currency: 'EUR',
      balanceAfter: null,
      postedAt: '2026-01-31T10:15:30.123456Z',
    },
  ],
};

const PART: Omit<SealPartRow, 'hash'> = {
  seal: 2n,
  account: 'ACC001',
  slot: 7,
  firstSeq: 3n,
  lastSeq: 4n,
  balance: 12n,
  root: 'ab'.repeat(32),
  witness: 'cd'.repeat(68),
  previousHash: NO_HASH,
};

const SEAL: Omit<SealRow, 'hash'> = {
  seal: 2n,
  shard: 1,
  previousHash: 'ef'.repeat(32),
  root: 'ab'.repeat(32),
  parts: 1n,
  entries: 2n,
  sealedAt: '2026-01-31T10:16:00.000000Z',
};

describe('fields', () => {
  it.each<[Field[], string]>([
    [[], ''],
    [[''], '00000000'],
    [[null], 'ffffffff'],
    [['ab', 'c'], '00000002' + '6162' + '00000001' + '63'],
    [['a', 'bc'], '00000001' + '61' + '00000002' + '6263'],
    [[-12n, 7], '00000003' + '2d3132' + '00000001' + '37'],
    [['é'], '00000002' + 'c3a9'],
  ])('%p are encoded as %s', (fields, expected) => {
    expect(encodeFields(fields).toString('hex')).toBe(expected);
  });

  it.each([127, 128, 255, 256, 65_535, 65_536])('writes a field of %d bytes in full', (length) => {
    const bytes = encodeFields(['x'.repeat(length), null, 'y']);
    expect(bytes.readUInt32BE(0)).toBe(length);
    expect(bytes.subarray(4, 4 + length).every((byte) => byte === 0x78)).toBe(true);
    expect(bytes.subarray(4 + length).toString('hex')).toBe('ffffffff0000000179');
  });

  it('counts bytes and not characters beyond ASCII', () => {
    expect(encodeFields(['\u00e9', 1]).toString('hex')).toBe('00000002c3a90000000131');
  });

  it('that differ are encoded differently', () => {
    const field = fc.oneof(fc.constant(null), fc.string(), fc.bigInt().map(String));
    const fields = fc.array(field, { maxLength: 4 });
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        expect(encodeFields(a).equals(encodeFields(b))).toBe(isSame);
      }),
    );
  });
});

/** Seals are kept for ever: their hashes must come out the same in every release. */
describe('the hash', () => {
  it('of an entry, of a part and of a seal never changes', () => {
    expect(hashEntry(ENTRY)).toBe(
      '7c72a6412f2577e199cdbd52aa5779ff199cb22ceaf5fe85c4fa620f6f525e0c',
    );
    expect(hashPart(PART)).toBe('5572fad59f2d232811849700a82f1359a4e01481a7e3b7de1f2c6950a19a7253');
    expect(hashSeal(SEAL)).toBe('cc8856b065ebbfc8c8e8e769edab65bfa7fb010c0247d445ad3a3ee99925fbba');
  });

  it('of an entry is another one for a change of any of its fields', () => {
    const leg = ENTRY.legs[1]!;
    const changed: StepEntry[] = [
      { ...ENTRY, account: 'ACC002' },
      { ...ENTRY, entrySeq: 4n },
      { ...ENTRY, transferId: ID.replace('8057', '8058') },
      { ...ENTRY, step: 30 },
      { ...ENTRY, leg: 1 },
      { ...ENTRY, legs: ENTRY.legs.slice(0, 1) },
      ...[
        { ...leg, leg: 2 },
        { ...leg, slot: 8 },
        { ...leg, account: '~external:7:EUR' },
        { ...leg, entrySeq: 1n },
        { ...leg, minor: 9007199254740992n },
        { ...leg, currency: 'USD' },
        { ...leg, balanceAfter: 0n },
        { ...leg, postedAt: '2026-01-31T10:15:30.123457Z' },
      ].map((other) => ({ ...ENTRY, legs: [ENTRY.legs[0]!, other] })),
    ];
    const hashes = [ENTRY, ...changed].map((entry) => hashEntry(entry));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('of a part and of a seal is another one for a change of any of their fields', () => {
    const parts: (typeof PART)[] = [
      PART,
      { ...PART, seal: 3n },
      { ...PART, account: 'ACC002' },
      { ...PART, slot: 8 },
      { ...PART, firstSeq: 2n },
      { ...PART, lastSeq: 5n },
      { ...PART, balance: 13n },
      { ...PART, root: NO_HASH },
      { ...PART, witness: '' },
      { ...PART, previousHash: PART.root },
    ];
    expect(new Set(parts.map((part) => hashPart(part))).size).toBe(parts.length);
    const seals: (typeof SEAL)[] = [
      SEAL,
      { ...SEAL, seal: 3n },
      { ...SEAL, shard: 0 },
      { ...SEAL, previousHash: NO_HASH },
      { ...SEAL, root: NO_HASH },
      { ...SEAL, parts: 2n },
      { ...SEAL, entries: 3n },
      { ...SEAL, sealedAt: '2026-01-31T10:16:00.000001Z' },
    ];
    expect(new Set(seals.map((seal) => hashSeal(seal))).size).toBe(seals.length);
  });
});
