import { describe, expect, test } from '@jest/globals';
import {
  canonicalJson,
  fingerprintOf,
  hashOfParts,
  keyHashOf,
  normalisedDecimal,
} from './canonical.js';

const base = { name: 'request-transfer', pathParameters: {}, request: { amount: '1', a: 'x' } };

describe('the canonical form', () => {
  test.each<[unknown, string]>([
    [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
    [{ a: undefined, b: null }, '{"b":null}'],
    [{ a: [3, 1, { d: 1, c: 2 }] }, '{"a":[3,1,{"c":2,"d":1}]}'],
    [{ 'ä"': '\n' }, '{"ä\\"":"\\n"}'],
    [JSON.parse('{"__proto__":{"x":1},"a":1}'), '{"__proto__":{"x":1},"a":1}'],
    [[], '[]'],
    ['\ud800', '"\\ud800"'],
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
  test('keeps tenant and key apart by their lengths', () => {
    expect(hashOfParts('ab', 'c')).not.toBe(hashOfParts('a', 'bc'));
    expect(keyHashOf('default', 'k')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('tells keys apart that a collation would not', () => {
    const hashes = ['Key-1', 'key-1', 'key-1 ', 'kéy-1'].map((key) => keyHashOf('default', key));
    expect(new Set(hashes).size).toBe(4);
  });
});
