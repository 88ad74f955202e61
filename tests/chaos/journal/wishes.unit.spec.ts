import { describe, expect, it } from '@jest/globals';
import { Chance } from '../../e2e/chance.js';
import { Wishes, chaosAccounts } from './wishes.js';
import type { MemberWish } from './wishes.js';

const ACCOUNTS = chaosAccounts(7, 300);
const EARLIER = ['e1', 'e2'].map((key) => ({
  key,
  wish: {
    ...{ sourceAccount: 'a', destinationAccount: 'b' },
    ...{ amount: '1.00', currency: 'EUR', description: key },
  },
}));

function batches(seed: number, count: number, earlier = EARLIER): MemberWish[][] {
  const wishes = new Wishes(new Chance(seed), ACCOUNTS);
  let keys = 0;
  const newKey = (): string => `k${(keys += 1)}`;
  return Array.from({ length: count }, () => wishes.batch(newKey, earlier));
}

describe('batches that clients wish', () => {
  const many = batches(7, 500);
  const inRole = (role: MemberWish['role']): MemberWish[] =>
    many.flat().filter((member) => member.role === role);

  it('are the same ones of the same seed', () => {
    expect(batches(7, 500)).toEqual(many);
    expect(batches(8, 500)).not.toEqual(many);
  });

  it('have 2 to 40 members, few and many', () => {
    const sizes = many.map(({ length }) => length);
    expect(Math.min(...sizes)).toBe(2);
    expect(Math.max(...sizes)).toBeGreaterThan(30);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(40);
  });

  it('give each new member a key of its own, which is its description', () => {
    const keys = inRole('new').map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(inRole('new').every(({ key, wish }) => wish.description === key)).toBe(true);
  });

  it('repeat a request of an earlier transfer or of their own, as it was', () => {
    const known = [...EARLIER, ...inRole('new')];
    for (const { key, wish } of inRole('repeated')) {
      expect(known.find((one) => one.key === key)?.wish).toEqual(wish);
    }
    const ownOnes = inRole('repeated').filter(({ key }) => key.startsWith('k'));
    expect(ownOnes.length).toBeGreaterThan(0);
    expect(ownOnes.length).toBeLessThan(inRole('repeated').length);
  });

  it('use keys of earlier transfers for other requests of the same account', () => {
    expect(inRole('used key').length).toBeGreaterThan(0);
    for (const { key, wish } of inRole('used key')) {
      const first = EARLIER.find((one) => one.key === key);
      expect(wish.sourceAccount).toBe(first?.wish.sourceAccount);
      expect(wish.description).not.toBe(first?.wish.description);
    }
  });

  it('have bad requests of each kind under keys of their own', () => {
    const wrong = inRole('bad request').map(({ wish }) =>
      wish.sourceAccount === wish.destinationAccount ? 'destination' : wish.amount,
    );
    expect(new Set(wrong)).toEqual(new Set(['destination', '-1', '0']));
    const others = new Set(
      many
        .flat()
        .filter(({ role }) => role !== 'bad request')
        .map(({ key }) => key),
    );
    expect(inRole('bad request').some(({ key }) => others.has(key))).toBe(false);
  });

  it('sometimes pay everything from one account', () => {
    const sources = many.map(
      (members) =>
        new Set(members.filter(({ role }) => role === 'new').map(({ wish }) => wish.sourceAccount))
          .size,
    );
    expect(sources.filter((count) => count === 1).length).toBeGreaterThan(50);
    expect(sources.filter((count) => count > 1).length).toBeGreaterThan(50);
  });

  it('repeat their own requests alone where nothing was acknowledged before', () => {
    const roles = new Set(
      batches(7, 100, [])
        .flat()
        .map(({ role }) => role),
    );
    expect(roles).toEqual(new Set(['new', 'repeated', 'bad request']));
  });
});
