import { describe, expect, test } from '@jest/globals';
import { childTraceparent, newTraceparent, parseTraceparent, traceIdOf } from './trace.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const valid = `00-${TRACE}-${PARENT}-01`;

test.each([
  ['a valid header', valid, valid],
  ['unsampled', `00-${TRACE}-${PARENT}-00`, `00-${TRACE}-${PARENT}-00`],
  ['surrounding blanks', ` ${valid} `, valid],
  ['a later version, with more', `cc-${TRACE}-${PARENT}-01-what-comes`, valid],
  ['a later version', `cc-${TRACE}-${PARENT}-01`, valid],
  ['no header', undefined, undefined],
  ['nothing', '', undefined],
  ['the forbidden version', `ff-${TRACE}-${PARENT}-01`, undefined],
  ['version 00 with more', `${valid}-more`, undefined],
  ['an all-zero trace id', `00-${'0'.repeat(32)}-${PARENT}-01`, undefined],
  ['an all-zero parent id', `00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
  ['upper case', valid.toUpperCase(), undefined],
  ['a short trace id', `00-${TRACE.slice(1)}-${PARENT}-01`, undefined],
  ['a foreign format', 'abc-def', undefined],
])('%s', (_, header, expected) => {
  expect(parseTraceparent(header)).toBe(expected);
});

describe('contexts of our own', () => {
  test('are valid and differ', () => {
    const [one, two] = [newTraceparent(), newTraceparent()];
    expect(parseTraceparent(one)).toBe(one);
    expect(traceIdOf(one)).not.toBe(traceIdOf(two));
  });

  test('keep trace and flags from parent to child, with a new parent id', () => {
    const child = childTraceparent(`00-${TRACE}-${PARENT}-00`);
    expect(child).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
    expect(child).not.toContain(PARENT);
  });

  test('begin anew where the parent is invalid', () => {
    expect(parseTraceparent(childTraceparent('garbage'))).toBeDefined();
    expect(traceIdOf('garbage')).toBeUndefined();
    expect(traceIdOf(null)).toBeUndefined();
    expect(traceIdOf(valid)).toBe(TRACE);
  });
});
