import { expect, it } from '@jest/globals';
import { subjectOf } from './subjects.js';

const ID = '018bcfe5-6801-7058-8000-000000000001';
const HEX = ID.replaceAll('-', '');

it.each([
  ['balances', 'account ACC-1', { kind: 'account', id: 'ACC-1' }],
  ['balances', 'leg ACC-1 entry 7', { kind: 'account', id: 'ACC-1' }],
  ['holds', `transfer ${ID}`, { kind: 'transfer', id: ID }],
  ['step-legs', `transfer ${ID} step 40`, { kind: 'transfer', id: ID }],
  ['histories', `event ${ID}/30`, { kind: 'transfer', id: ID }],
  ['credits', `decision ${ID}`, { kind: 'transfer', id: ID }],
  ['projections', 'balances ACC-1', { kind: 'balance', id: 'ACC-1' }],
  ['projections', `transaction_status ${ID}`, { kind: 'status', id: ID }],
  ['projections', `transaction_status ${HEX}`, { kind: 'status', id: ID }],
  ['keys', `transfer ${ID}`, undefined],
  ['keys', 'key 7/abc', undefined],
  ['slots', 'key 7/abc', undefined],
  ['slots', `balances ACC-1`, { kind: 'balance', id: 'ACC-1' }],
  ['holds', 'transfer of-nobody', undefined],
  ['conservation', 'slot 7 EUR', undefined],
  ['transit', 'transit EUR', undefined],
  ['outbox', 'message toSource 3', undefined],
] as const)('a finding of %s about %s leads to its row', (check, key, subject) => {
  expect(subjectOf(check, { key })).toEqual(subject);
});
