import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { Secret } from './secret.js';

const secret = new Secret('hunter2');

test('a secret is given to who asks for it', () => {
  expect(secret.reveal()).toBe('hunter2');
});

test.each([
  ['as text', `${secret.toString()} ${String(secret)}`],
  ['as JSON', JSON.stringify({ password: secret })],
  ['to the inspector', inspect({ password: secret }, { showHidden: true, depth: 9 })],
  ['copied', JSON.stringify(Object.assign({}, secret))],
])('nobody sees it %s', (_how, printed) => {
  expect(printed).not.toContain('hunter2');
});
