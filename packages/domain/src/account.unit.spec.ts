import { describe, expect, it } from '@jest/globals';
import { anAccount, eur } from '@surety/testing';
import fc from 'fast-check';
import { availableMinor, commitHold, creditRefusal, hold, holdRefusal } from './account.js';
import { post, releaseHold } from './account.js';
import type { Account } from './account.js';
import { BALANCE_MINOR_MAX as MAX } from './money.js';

type Fields = Partial<Account>;

describe('what is available', () => {
  it.each<[Fields, bigint]>([
    [{}, 0n],
    [{ balance: 100n }, 100n],
    [{ balance: 100n, held: 40n }, 60n],
    [{ balance: 100n, held: 40n, overdraftLimit: 25n }, 85n],
    [{ balance: -10n, overdraftLimit: 25n }, 15n],
    [{ balance: -25n, overdraftLimit: 25n }, 0n],
    [{ balance: 9007199254740993n, held: 2n }, 9007199254740991n],
  ])('of %p is %s', (fields, expected) => {
    expect(availableMinor(anAccount('A', fields))).toBe(expected);
  });
});

describe('holding an amount', () => {
  it.each<[string, Fields | undefined, bigint, string | undefined]>([
    ['exactly what is there', { balance: 100n }, 100n, undefined],
    ['one more than is there', { balance: 99n }, 100n, 'insufficient_funds'],
    ['exactly what is not held', { balance: 100n, held: 60n }, 40n, undefined],
    ['one of what is held', { balance: 100n, held: 61n }, 40n, 'insufficient_funds'],
    ['the whole overdraft', { overdraftLimit: 100n }, 100n, undefined],
    ['one beyond the overdraft', { overdraftLimit: 99n }, 100n, 'insufficient_funds'],
    ['from an overdrawn account', { balance: -60n, overdraftLimit: 100n }, 40n, undefined],
    ['and beyond', { balance: -61n, overdraftLimit: 100n }, 40n, 'insufficient_funds'],
    ['from nobody', undefined, 1n, 'source_not_found'],
    ['from a closed account', { status: 'closed', balance: 9n }, 1n, 'source_closed'],
    ['from a frozen account', { status: 'frozen', balance: 9n }, 1n, 'source_frozen'],
    ['with debits blocked', { debitsBlocked: true, balance: 9n }, 1n, 'debits_blocked'],
    ['with credits blocked', { creditsBlocked: true, balance: 9n }, 1n, undefined],
    ['of another currency', { currency: 'USD', balance: 9n }, 1n, 'source_currency_mismatch'],
    ['up to the held bound', { balance: MAX, held: MAX - 1n }, 1n, undefined],
    ['past the held bound', { balance: MAX, held: MAX, overdraftLimit: MAX }, 1n, 'held_limit'],
    ['down to the lowest balance', { balance: -MAX + 1n, overdraftLimit: MAX }, 1n, undefined],
    [
      'so that its commit would pass the lowest balance',
      { balance: -MAX + 1n, held: 1n, overdraftLimit: MAX + 1n },
      1n,
      'balance_limit',
    ],
  ])('%s', (_, fields, minor, expected) => {
    const account = fields && anAccount('A', fields);
    expect(holdRefusal(account, eur(minor))).toBe(expected);
  });

  it('names the first reason that stands, from the account to its money', () => {
    const account = anAccount('A', { status: 'closed', debitsBlocked: true, currency: 'USD' });
    expect(holdRefusal(account, eur(1))).toBe('source_closed');
    expect(holdRefusal({ ...account, status: 'open' }, eur(1))).toBe('debits_blocked');
    expect(holdRefusal({ ...account, status: 'open', debitsBlocked: false }, eur(1))).toBe(
      'source_currency_mismatch',
    );
  });
});

describe('crediting an amount', () => {
  it.each<[string, Fields | undefined, bigint, string | undefined]>([
    ['an open account', {}, 1n, undefined],
    ['an overdrawn account', { balance: -5n }, 1n, undefined],
    ['nobody', undefined, 1n, 'destination_not_found'],
    ['a closed account', { status: 'closed' }, 1n, 'destination_closed'],
    ['a frozen account', { status: 'frozen' }, 1n, 'destination_frozen'],
    ['with credits blocked', { creditsBlocked: true }, 1n, 'credits_blocked'],
    ['with debits blocked', { debitsBlocked: true }, 1n, undefined],
    ['of another currency', { currency: 'USD' }, 1n, 'destination_currency_mismatch'],
    ['up to the highest balance', { balance: MAX - 1n }, 1n, undefined],
    ['past the highest balance', { balance: MAX }, 1n, 'balance_limit'],
  ])('%s', (_, fields, minor, expected) => {
    const account = fields && anAccount('A', fields);
    expect(creditRefusal(account, eur(minor))).toBe(expected);
  });
});

describe('changes of an account', () => {
  const before = anAccount('A', { balance: 100n, held: 30n, version: 7n, entrySeq: 4n });

  it('hold and release move what is held, count a version and write no leg', () => {
    expect(hold(before, 20n)).toEqual({ ...before, held: 50n, version: 8n });
    expect(releaseHold(before, 20n)).toEqual({ ...before, held: 10n, version: 8n });
    expect(releaseHold(hold(before, 20n), 20n)).toEqual({ ...before, version: 9n });
  });

  it('a commit takes the held amount out of the balance as one leg', () => {
    expect(commitHold(before, 30n)).toEqual({
      ...before,
      balance: 70n,
      held: 0n,
      version: 8n,
      entrySeq: 5n,
    });
  });

  it('a posting changes the balance as one leg', () => {
    expect(post(before, 5n)).toEqual({ ...before, balance: 105n, version: 8n, entrySeq: 5n });
    expect(post(before, -5n)).toEqual({ ...before, balance: 95n, version: 8n, entrySeq: 5n });
  });

  it('a hold that is allowed never overdraws, and its commit leaves the rest as available', () => {
    const small = fc.bigInt({ min: 0n, max: 1000n });
    fc.assert(
      fc.property(small, small, small, fc.bigInt({ min: 1n, max: 1000n }), (...sums) => {
        const [balance, held, overdraftLimit, minor] = sums;
        const account = anAccount('A', { balance, held, overdraftLimit });
        const isAllowed = holdRefusal(account, eur(minor)) === undefined;
        expect(isAllowed).toBe(minor <= balance - held + overdraftLimit);
        if (!isAllowed) return;
        const after = hold(account, minor);
        expect(availableMinor(after)).toBeGreaterThanOrEqual(0n);
        expect(availableMinor(commitHold(after, minor))).toBe(availableMinor(after));
        expect(availableMinor(releaseHold(after, minor))).toBe(availableMinor(account));
      }),
    );
  });
});
