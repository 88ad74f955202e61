import { expect, it } from '@jest/globals';
import { errorLine } from './error-line.js';

const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');

it('says what is behind an error after it', () => {
  const lost = new Error('no topics', { cause: new Error('cannot log in', { cause: refused }) });
  expect(errorLine(lost)).toBe(`no topics: cannot log in: ${refused.message}`);
});

it('says nothing twice, and ends', () => {
  const error = new Error(`shard 0: ${refused.message}`, { cause: new Error(refused.message) });
  expect(errorLine(error)).toBe(`shard 0: ${refused.message}`);
  const loop: Error = new Error('round');
  loop.cause = loop;
  expect(errorLine(loop)).toBe('round');
});

it('takes the code, else the name, of what has no message, and the first of several', () => {
  const several = Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' });
  expect(errorLine(several)).toBe(`ECONNREFUSED: ${refused.message}`);
  expect(errorLine(new TypeError())).toBe('TypeError');
});

it('takes what is no error as it is, and shows no password', () => {
  expect(errorLine('it broke')).toBe('it broke');
  expect(errorLine(new Error('at redis://u:secret@h:1'))).toBe('at redis://u:***@h:1');
});
