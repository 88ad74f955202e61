import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLogger as createWinstonLogger, transports } from 'winston';
import { describeError, lineFormat, redactUrls } from './log.js';

function lineOf(message: string, fields: object): string {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = createWinstonLogger({
    format: lineFormat,
    transports: [new transports.Stream({ stream })],
  });
  log.info(message, fields);
  return lines.join('');
}

test('a line is one JSON object with the fields of the call', () => {
  const line = lineOf('committed', { transferId: 't-1', traceId: 'abc', shard: 1, amount: 12n });
  expect(line.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(line)).toMatchObject({
    level: 'info',
    message: 'committed',
    transferId: 't-1',
    traceId: 'abc',
    shard: 1,
  });
});

test('an error is told with its causes and codes', () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const line = lineOf('lost', { error: new Error('away', { cause }) });
  expect(JSON.parse(line)).toMatchObject({
    error: { name: 'Error', message: 'away', cause: { code: 'ECONNREFUSED', message: 'refused' } },
  });
});

test('causes that go in circles end', () => {
  const error = new Error('a');
  error.cause = error;
  expect(JSON.stringify(describeError(error)).length).toBeGreaterThan(0);
  expect(describeError('text')).toBe('text');
});

test.each([
  ['mysql://app:hunter2@h:3306/s', 'mysql://app:***@h:3306/s'],
  ['redis://:hunter2@h', 'redis://:***@h'],
  [
    'at mysql://a:hunter2@h/s and mysql://b:hunter2@i/s',
    'at mysql://a:***@h/s and mysql://b:***@i/s',
  ],
  ['mysql://a:hun/ter2@h/s', 'mysql://a:***@h/s'],
  ['http://127.0.0.1:8080/x', 'http://127.0.0.1:8080/x'],
  ['mail to a:b@c', 'mail to a:b@c'],
])('passwords of URLs are taken out of %j', (text, expected) => {
  expect(redactUrls(text)).toBe(expected);
});

test('passwords are taken out of nested fields and stacks', () => {
  const error = new Error('cannot reach mysql://app:hunter2@h/s');
  const line = lineOf('x', { config: { url: 'redis://u:hunter2@h' }, error });
  expect(line).not.toContain('hunter2');
  expect(() => JSON.parse(line) as unknown).not.toThrow();
});
