import { describe, expect, test } from '@jest/globals';
import { requireIdempotencyKey } from './idempotency-key.js';
import { Problem } from './problem.js';

type Sources = { header?: string; legacyHeader?: string; body?: string };

function keyOrCode({ header, legacyHeader, body }: Sources): string {
  const headers = {
    ...(header === undefined ? {} : { 'idempotency-key': header }),
    ...(legacyHeader === undefined ? {} : { 'x-idempotency-key': legacyHeader }),
  };
  try {
    return requireIdempotencyKey(headers, body);
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe('the idempotency key', () => {
  const longest = '~'.repeat(255);

  test.each<[Sources, string]>([
    [{ header: 'k' }, 'k'],
    [{ legacyHeader: 'k' }, 'k'],
    [{ body: 'k' }, 'k'],
    [{ header: 'k', legacyHeader: 'k', body: 'k' }, 'k'],
    [{ header: longest }, longest],
    [{}, 'idempotency-key-missing'],
    [{ header: '' }, 'idempotency-key-invalid'],
    [{ header: 'x'.repeat(256) }, 'idempotency-key-invalid'],
    [{ header: 'a b' }, 'idempotency-key-invalid'],
    [{ body: 'kéy' }, 'idempotency-key-invalid'],
    [{ header: 'k', body: 'K' }, 'idempotency-key-ambiguous'],
    [{ header: 'k', legacyHeader: 'l' }, 'idempotency-key-ambiguous'],
  ])('from %j is %s', (sources, expected) => {
    expect(keyOrCode(sources)).toBe(expected);
  });
});
