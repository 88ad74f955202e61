import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ACCOUNT_ID,
  IDEMPOTENCY_KEY,
  composeTransferId,
  externalAccountId,
  isSystemAccountId,
  parseTransferId,
  slotOfTransferId,
  transitAccountId,
} from './ids.js';

const anyTime = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const anySlot = fc.integer({ min: 0, max: 4095 });
const anyRandom = fc.uint8Array({ minLength: 8, maxLength: 8 });
const ZEROS = new Uint8Array(8);

describe('composing a transfer id', () => {
  it('lays out time, version, slot, variant and randomness as RFC 9562 says', () => {
    const id = composeTransferId(
      0x0123456789ab,
      0xcde,
      Uint8Array.of(0xff, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77),
    );
    expect(id).toBe('01234567-89ab-7cde-bf11-223344556677');
  });

  it('forces the variant bits whatever the randomness is', () => {
    expect(composeTransferId(0, 0, ZEROS)).toBe('00000000-0000-7000-8000-000000000000');
    expect(composeTransferId(2 ** 48 - 1, 4095, new Uint8Array(8).fill(0xff))).toBe(
      'ffffffff-ffff-7fff-bfff-ffffffffffff',
    );
  });

  it('uses the first eight bytes of a longer array and leaves it as it was', () => {
    const random = Uint8Array.from({ length: 16 }, (_, index) => 0xf0 + index);
    const before = [...random];
    const id = composeTransferId(1, 2, random);
    expect(id).toBe(composeTransferId(1, 2, random.subarray(0, 8)));
    expect([...random]).toEqual(before);
  });

  it('gives ids that parse and carry their slot', () => {
    fc.assert(
      fc.property(anyTime, anySlot, anyRandom, (time, slot, random) => {
        const id = composeTransferId(time, slot, random);
        expect(parseTransferId(id)).toBe(id);
        expect(slotOfTransferId(id)).toBe(slot);
      }),
    );
  });

  it('sorts by time, whatever slot and randomness are', () => {
    const anyRest = fc.tuple(anySlot, anyRandom);
    fc.assert(
      fc.property(anyTime, anyTime, anyRest, anyRest, (a, b, restA, restB) => {
        fc.pre(a < b);
        expect(composeTransferId(a, ...restA) < composeTransferId(b, ...restB)).toBe(true);
      }),
    );
  });

  it('keeps all 62 bits of randomness', () => {
    fc.assert(
      fc.property(anyRandom, fc.integer({ min: 2, max: 63 }), (random, bit) => {
        const flipped = Uint8Array.from(random);
        const index = Math.floor(bit / 8);
        flipped[index] = flipped[index]! ^ (0x80 >> (bit % 8));
        expect(composeTransferId(1, 1, flipped)).not.toBe(composeTransferId(1, 1, random));
      }),
    );
  });

  it.each<[string, number, number, Uint8Array]>([
    ['a negative time', -1, 0, ZEROS],
    ['a time of 49 bits', 2 ** 48, 0, ZEROS],
    ['a fraction of a millisecond', 1.5, 0, ZEROS],
    ['no time at all', Number.NaN, 0, ZEROS],
    ['a negative slot', 0, -1, ZEROS],
    ['slot 4096', 0, 4096, ZEROS],
    ['half a slot', 0, 0.5, ZEROS],
    ['seven random bytes', 0, 0, new Uint8Array(7)],
  ])('refuses %s', (_, time, slot, random) => {
    expect(() => composeTransferId(time, slot, random)).toThrow(RangeError);
  });
});

describe('parsing a transfer id', () => {
  const ID = '01234567-89ab-7cde-bf11-223344556677';

  it('takes upper case and gives the canonical form', () => {
    expect(parseTransferId(ID.toUpperCase())).toBe(ID);
  });

  it.each<[string, string]>([
    ['version 4', '01234567-89ab-4cde-bf11-223344556677'],
    ['version 8', '01234567-89ab-8cde-bf11-223344556677'],
    ['variant 0', '01234567-89ab-7cde-7f11-223344556677'],
    ['variant 110', '01234567-89ab-7cde-cf11-223344556677'],
    ['the nil id', '00000000-0000-0000-0000-000000000000'],
    ['no hyphens', '0123456789ab7cdebf11223344556677'],
    ['braces', `{${ID}}`],
    ['a URN', `urn:uuid:${ID}`],
    ['a digit too few', ID.slice(0, -1)],
    ['a digit too many', `${ID}0`],
    ['a letter beyond f', `${ID.slice(0, -1)}g`],
    ['a line break behind it', `${ID}\n`],
    ['a space before it', ` ${ID}`],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(parseTransferId(text)).toBeUndefined();
  });
});

describe('what an account id may look like', () => {
  it.each<[string, boolean]>([
    ['A', true],
    ['ACC001', true],
    ['a.b_c:d-e', true],
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['', false],
    ['a b', false],
    ['a/b', false],
    ['~transit:1:EUR', false],
    ['Kéy', false],
    ['a\n', false],
    ['.', false],
    ['..', false],
    ['...', true],
    ['.a', true],
    ['..a', true],
    ['a..', true],
    ['.\n', false],
  ])('%j is an account id: %s', (id, expected) => {
    expect(ACCOUNT_ID.test(id)).toBe(expected);
  });
});

describe('what an idempotency key may look like', () => {
  it.each<[string, boolean]>([
    ['k', true],
    ['!~', true],
    ['k'.repeat(255), true],
    ['k'.repeat(256), false],
    ['', false],
    ['a key', false],
    ['key\t', false],
    ['key\n', false],
    ['Kéy-1', false],
    ['\u007f', false],
  ])('%j is a key: %s', (key, expected) => {
    expect(IDEMPOTENCY_KEY.test(key)).toBe(expected);
  });
});

describe('system accounts', () => {
  it('are named by slot and currency and are no possible customer', () => {
    for (const id of [transitAccountId(7, 'EUR'), externalAccountId(4095, 'POINTS')]) {
      expect(isSystemAccountId(id)).toBe(true);
      expect(ACCOUNT_ID.test(id)).toBe(false);
    }
    expect(transitAccountId(7, 'EUR')).toBe('~transit:7:EUR');
    expect(externalAccountId(7, 'EUR')).toBe('~external:7:EUR');
  });

  it('are never taken for a customer', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/), (id) => {
        expect(isSystemAccountId(id)).toBe(false);
      }),
    );
  });
});
