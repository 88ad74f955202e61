import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  canonicalJson,
  fingerprintOf,
  hashOfParts,
  keyHashOf,
  normalisedDecimal,
} from './canonical.js';

const base = { name: 'request-transfer', pathParameters: {}, request: { amount: '1', a: 'x' } };

/** The form by its definition, with no regard to cost. */
function spelled(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spelled).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${spelled(field)}`);
  return `{${fields.join(',')}}`;
}

describe('the canonical form', () => {
  test('is the one by its definition, for whatever JSON can say', () => {
    const anyText = fc.string({ unit: 'binary' });
    const anyJson = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, undefined, ''),
        fc.string({ unit: 'grapheme-ascii' }),
        anyText,
        fc.double(),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.string(), anyText), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(canonicalJson(value)).toBe(spelled(value));
      }),
      { numRuns: 200 },
    );
  });

  test.each<[unknown, string]>([
    [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
    [{ a: undefined, b: null }, '{"b":null}'],
    [{ a: [3, 1, { d: 1, c: 2 }] }, '{"a":[3,1,{"c":2,"d":1}]}'],
    [{ 'ä"': '\n' }, '{"ä\\"":"\\n"}'],
    [JSON.parse('{"__proto__":{"x":1},"a":1}'), '{"__proto__":{"x":1},"a":1}'],
    [[], '[]'],
    ['\ud800', '"\\ud800"'],
    ['a\u007f\u2028"\\/', '"a\u007f\u2028\\"\\\\/"'],
    [{ 10: 1, 9: 2, a: [undefined] }, '{"10":1,"9":2,"a":[null]}'],
    [{ a: undefined }, '{}'],
  ])('of %j is %s', (value, expected) => {
    expect(canonicalJson(value)).toBe(expected);
  });

  test.each<[string | number, string]>([
    ['12.50', '12.5'],
    ['12.00', '12'],
    ['100', '100'],
    ['100.10', '100.1'],
    ['0.10', '0.1'],
    [12.5, '12.5'],
    [100, '100'],
  ])('spells the amount %j as %s', (amount, expected) => {
    expect(normalisedDecimal(amount)).toBe(expected);
  });
});

describe('the fingerprint', () => {
  test('of a request that is stored somewhere is the same for ever', () => {
    expect(fingerprintOf(base)).toBe(
      '01dbdec32b11c04d8f6f59ee06da29a7f530f75123f4c3d718ff3ddee61e47dbb6',
    );
    const request = {
      ...{ amount: '12.5', currency: undefined, description: 'é\n' },
      metadata: { b: [1, null, { d: true, c: '' }], a: {} },
    };
    expect(fingerprintOf({ ...base, pathParameters: { id: 'ä"\\' }, request })).toBe(
      '01e780b65706844792a7dd1760f2b93cfea99d90752fe2015d5d19968272a53800',
    );
  });

  test('is the version byte and a SHA-256 in lower-case hex', () => {
    expect(fingerprintOf(base)).toMatch(/^01[0-9a-f]{64}$/);
  });

  test('does not depend on the order of fields or on absent ones', () => {
    const request = { a: 'x', currency: undefined, amount: '1' };
    expect(fingerprintOf({ ...base, request })).toBe(fingerprintOf(base));
  });

  test.each([
    ['operation', { ...base, name: 'fund-account' }],
    ['path parameter', { ...base, pathParameters: { id: 'a' } }],
    ['amount', { ...base, request: { ...base.request, amount: '1.01' } }],
    ['added field', { ...base, request: { ...base.request, currency: 'EUR' } }],
  ])('differs with another %s', (_what, operation) => {
    expect(fingerprintOf(operation)).not.toBe(fingerprintOf(base));
  });
});

describe('the hash of a key', () => {
  test('that is stored somewhere is the same for ever', () => {
    expect(keyHashOf('default', 'key-1')).toBe(
      '78c9e72169ae0df050c1b5fb3fde932bb689301e09aad1b7257407232bdcc1f2',
    );
    expect(hashOfParts('', 'é'.repeat(100), 'k'.repeat(255))).toBe(
      'b12d8054760dc959c9e2c2a5009c24c0536d7b77cf57a5df46db8e1665f0db14',
    );
  });

  test('keeps tenant and key apart by their lengths', () => {
    expect(hashOfParts('ab', 'c')).not.toBe(hashOfParts('a', 'bc'));
    expect(keyHashOf('default', 'k')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('tells keys apart that a collation would not', () => {
    const hashes = ['Key-1', 'key-1', 'key-1 ', 'kéy-1'].map((key) => keyHashOf('default', key));
    expect(new Set(hashes).size).toBe(4);
  });
});
