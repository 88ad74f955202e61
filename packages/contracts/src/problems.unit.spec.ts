import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  FIELD_FAULTS,
  PROBLEMS,
  fieldError,
  problemDocument,
  retryAfterSecondsOf,
} from './problems.js';
import type { ProblemCode } from './problems.js';

/** Jest runs with the root of the repository as its root directory. */
const text = readFileSync(join(process.cwd(), 'docs/problems.md'), 'utf8');
const [codesPart = '', fieldsPart = ''] = text.split('## Field codes');

function rowsOf(part: string): string[][] {
  return [...part.matchAll(/^\| `([^`]+)` *\| ([^|]+)\|/gm)].map(([, code, next]) => [
    code as string,
    (next as string).trim(),
  ]);
}

describe('the problem registry', () => {
  test('lists the same codes with the same statuses as docs/problems.md', () => {
    const registered = Object.entries(PROBLEMS).map(([code, { status }]) => [code, String(status)]);
    expect(rowsOf(codesPart)).toEqual(registered);
  });

  test('lists the same field codes as docs/problems.md', () => {
    expect(rowsOf(fieldsPart).map(([code]) => code)).toEqual(Object.keys(FIELD_FAULTS));
  });

  test.each(Object.keys(PROBLEMS) as ProblemCode[])(
    '%s makes a document of RFC 9457 whose status is its own',
    (code) => {
      const document = problemDocument(code);
      expect(document).toEqual({
        type: `urn:surety:problem:${code}`,
        title: PROBLEMS[code].title,
        status: PROBLEMS[code].status,
        code,
        detail: PROBLEMS[code].detail,
      });
    },
  );

  test('a 503 and nothing else says when to come back', () => {
    for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
      expect([code, retryAfterSecondsOf(code) !== undefined]).toEqual([
        code,
        PROBLEMS[code].status === 503,
      ]);
    }
  });

  test('a cancel that came too late tells the state that won', () => {
    const fields = { state: 'rejected', reason: 'destination_closed' } as const;
    expect(problemDocument('transfer-not-cancellable', fields)).toMatchObject(fields);
    const committed = problemDocument('transfer-not-cancellable', { state: 'committed' });
    expect(committed).not.toHaveProperty('reason');
  });

  test('a document names each wrong field', () => {
    const errors = [fieldError('/amount', 'not_positive'), fieldError('/x', 'unknown_field')];
    expect(problemDocument('invalid-request', { errors }).errors).toEqual([
      { pointer: '/amount', code: 'not_positive', message: FIELD_FAULTS.not_positive },
      { pointer: '/x', code: 'unknown_field', message: FIELD_FAULTS.unknown_field },
    ]);
  });

  test.each([
    ['unknown_value', { allowed: ['deposit', 'withdrawal'] }, ' Known: deposit, withdrawal.'],
    ['too_long', { max: 255, unit: 'characters' }, ' At most 255 characters.'],
    ['out_of_range', { min: 1, max: 200 }, ' From 1 to 200.'],
    ['out_of_range', { max: '30s' }, ' At most 30s.'],
    ['out_of_range', {}, ''],
  ] as const)('%s tells what the field takes: %j', (code, range, hint) => {
    const { unit: _, ...members } = { unit: undefined, ...range };
    expect(fieldError('/x', code, range)).toEqual({
      pointer: '/x',
      code,
      message: FIELD_FAULTS[code] + hint,
      ...members,
    });
  });
});
