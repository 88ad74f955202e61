import { describe, expect, test } from '@jest/globals';
import { requireIdempotencyKey } from './idempotency-key.js';
import { Problem } from './problem.js';

type Sources = {
  header?: string | string[];
  legacyHeader?: string | string[];
  body?: string;
};

/** Headers as Node gives them: those that come again joined in one view, apart in the other. */
function requestOf({ header, legacyHeader }: Sources) {
  const lines = { 'idempotency-key': header, 'x-idempotency-key': legacyHeader };
  const given = Object.entries(lines).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, [value].flat()] as const],
  );
  return {
    headers: Object.fromEntries(given.map(([name, values]) => [name, values.join(', ')])),
    headersDistinct: Object.fromEntries(given),
  };
}

function keyOrCode(sources: Sources): string {
  try {
    return requireIdempotencyKey(requestOf(sources), sources.body);
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
    [{ header: 'k,l' }, 'k,l'],
    [{ header: ['k', 'k'] }, 'k'],
    [{ header: ['k', 'k'], legacyHeader: ['k'], body: 'k' }, 'k'],
    [{}, 'idempotency-key-missing'],
    [{ header: '' }, 'idempotency-key-invalid'],
    [{ header: 'x'.repeat(256) }, 'idempotency-key-invalid'],
    [{ header: 'a b' }, 'idempotency-key-invalid'],
    [{ header: 'k, l' }, 'idempotency-key-invalid'],
    [{ header: ['a b', 'a b'] }, 'idempotency-key-invalid'],
    [{ body: 'kéy' }, 'idempotency-key-invalid'],
    [{ header: 'k', body: 'K' }, 'idempotency-key-ambiguous'],
    [{ header: 'k', legacyHeader: 'l' }, 'idempotency-key-ambiguous'],
    [{ header: ['k', 'l'] }, 'idempotency-key-ambiguous'],
    [{ legacyHeader: ['k', 'l'] }, 'idempotency-key-ambiguous'],
    [{ header: ['k', 'k'], body: 'l' }, 'idempotency-key-ambiguous'],
    [{ header: ['k', ''] }, 'idempotency-key-ambiguous'],
  ])('from %j is %s', (sources, expected) => {
    expect(keyOrCode(sources)).toBe(expected);
  });
});
