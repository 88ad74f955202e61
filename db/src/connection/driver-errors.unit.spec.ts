import { describe, expect, it } from '@jest/globals';
import { AnswerTimeoutError, failureOf } from './driver-errors.js';

function answered(errno: number): Error {
  return Object.assign(new Error('from the server'), { errno, code: 'ER_X', sqlState: 'HY000' });
}

function broken(code: string): Error {
  return Object.assign(new Error('no answer'), { code, fatal: true });
}

describe('an error that the server answered with', () => {
  it.each([
    ['deadlock', 1213, 'contention', false],
    ['lock wait time-out', 1205, 'contention', false],
    ['duplicate key', 1062, 'duplicate', false],
    ['out of range', 1264, 'data', false],
    ['too long', 1406, 'data', false],
    ['null in a column without', 1048, 'data', false],
    ['invalid JSON', 3140, 'data', false],
    ['a guard', 1690, 'data', false],
    ['a packet too large', 1153, 'data', false],
    ['a table not granted', 1142, 'denied', false],
    ['a column not granted', 1143, 'denied', false],
    ['read-only', 1290, 'environment', false],
    ['read-only mode', 1836, 'environment', false],
    ['disk full', 1021, 'environment', true],
    ['error writing a file', 1026, 'environment', true],
    ['table full', 1114, 'environment', true],
    ['too many connections', 1040, 'environment', true],
    ['shutdown', 1053, 'environment', true],
    ['access denied', 1045, 'environment', true],
    ['no such table', 1146, 'environment', true],
    ['a number nobody knows', 64_999, 'environment', true],
  ] as const)('%s (%i) is of kind %s; may be committed: %s', (_, errno, kind, mayBeCommitted) => {
    const failure = failureOf(answered(errno));
    expect(failure).toMatchObject({ kind, mayBeCommitted, code: String(errno) });
  });

  it.each([1053, 1927, 4031, 1153])('%i ends the connection', (errno) => {
    expect(failureOf(answered(errno)).connectionEnded).toBe(true);
  });

  it.each([1213, 1205, 1062, 1264, 1290])('%i leaves the connection usable', (errno) => {
    expect(failureOf(answered(errno)).connectionEnded).toBe(false);
  });
});

describe('an error without an answer', () => {
  it.each([
    [broken('PROTOCOL_CONNECTION_LOST'), 'PROTOCOL_CONNECTION_LOST'],
    [broken('ECONNREFUSED'), 'ECONNREFUSED'],
    [broken('EPIPE'), 'EPIPE'],
    [new AnswerTimeoutError('no answer'), 'AnswerTimeoutError'],
    [undefined, 'unknown'],
  ])(
    '%s is of the environment, ends the connection, and tells nothing of a commit',
    (error, code) => {
      expect(failureOf(error)).toEqual({
        ...{ kind: 'environment', code },
        ...{ connectionEnded: true, mayBeCommitted: true },
      });
    },
  );
});
