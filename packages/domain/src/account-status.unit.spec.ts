import { describe, expect, it } from '@jest/globals';
import { anAccount } from '@surety/testing';
import { decideAccountStatus } from './account-status.js';
import type { AccountStatusCommand } from './account-status.js';
import type { AccountStatus } from './account.js';

describe('changing the status of an account', () => {
  it.each<[AccountStatus | undefined, AccountStatusCommand, object]>([
    ['open', 'freeze', { kind: 'changed', status: 'frozen' }],
    ['frozen', 'freeze', { kind: 'unchanged' }],
    ['frozen', 'unfreeze', { kind: 'changed', status: 'open' }],
    ['open', 'unfreeze', { kind: 'unchanged' }],
    ['closed', 'freeze', { kind: 'refused', because: 'account_closed' }],
    ['closed', 'unfreeze', { kind: 'refused', because: 'account_closed' }],
    [undefined, 'freeze', { kind: 'refused', because: 'account_not_found' }],
    [undefined, 'unfreeze', { kind: 'refused', because: 'account_not_found' }],
  ])('that is %s by %s comes to %j', (status, command, expected) => {
    const account = status && anAccount('A', { status });
    expect(decideAccountStatus(account, command)).toEqual(expected);
  });
});
