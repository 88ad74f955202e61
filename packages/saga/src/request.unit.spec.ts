import { describe, expect, it } from '@jest/globals';
import { InvariantViolation } from '@surety/domain';
import {
  MemoryShardStore,
  aDeposit,
  aTransferRequest,
  anAccount,
  anOpening,
  eur,
} from '@surety/testing';
import { ChangeSet } from './change-set.js';
import { fundAccounts, openAccounts, readingAllKeys, requestTransfers } from './index.js';
import type { AccountOpening, LoadRequest, ShardStore } from './index.js';

const START_MS = Date.UTC(2026, 0, 1);

function aShard(): MemoryShardStore {
  let nowMs = START_MS;
  return new MemoryShardStore(0, () => (nowMs += 1));
}

const wish = { source: 'alice', destination: 'bob', amount: eur(100) };

describe('requestTransfers', () => {
  it('writes key, transfer, event and outbox together', async () => {
    const store = aShard();
    const request = aTransferRequest({ n: 1, ...wish });
    const [result] = await requestTransfers(store, [request]);
    expect(result).toMatchObject({ kind: 'accepted', transferId: request.transferId });
    const { rows } = store;
    expect([rows.keys.size, rows.transfers.size, rows.events.size, rows.outbox.length]).toEqual([
      1, 1, 1, 1,
    ]);
    expect([...rows.openTransfers]).toEqual([request.transferId]);
  });

  it('answers the same key and request with the first transfer, later and in one group', async () => {
    const store = aShard();
    const first = aTransferRequest({ n: 1, ...wish, key: 'k' });
    const again = aTransferRequest({ n: 2, ...wish, key: 'k' });
    const results = await requestTransfers(store, [first, again]);
    const [later] = await requestTransfers(store, [again]);
    expect(results.map((result) => result.kind)).toEqual(['accepted', 'replayed']);
    expect(later).toMatchObject({ kind: 'replayed', transferId: first.transferId });
    expect(later).toMatchObject({ requestedAt: store.rows.keys.values().next().value?.createdAt });
    expect(store.rows.transfers.size).toBe(1);
  });

  it('recognises its own row when the answer to a commit was lost', async () => {
    const store = aShard();
    const request = aTransferRequest({ n: 1, ...wish });
    await requestTransfers(store, [request]);
    const [result] = await requestTransfers(store, [request]);
    expect(result?.kind).toBe('accepted');
    expect(store.rows.transfers.size).toBe(1);
  });

  it('refuses a key that was used for something else', async () => {
    const store = aShard();
    const first = aTransferRequest({ n: 1, ...wish, key: 'k' });
    const other = aTransferRequest({ n: 2, ...wish, amount: eur(101), key: 'k' });
    const results = await requestTransfers(store, [first, other]);
    expect(results.map((result) => result.kind)).toEqual(['accepted', 'key_reused']);
    expect(store.rows.transfers.size).toBe(1);
  });
});

describe('requestTransfers with keys that are presumed absent', () => {
  const presumed = { ...aTransferRequest({ n: 1, ...wish }), isKeyPresumedAbsent: true };
  const doubted = aTransferRequest({ n: 2, ...wish });

  it('has the others looked for, and those not', async () => {
    const memory = aShard();
    const loads: LoadRequest[] = [];
    const store: ShardStore = {
      shard: 0,
      transact: (load, decide) => {
        loads.push(load);
        return memory.transact(load, decide);
      },
    };
    await requestTransfers(store, [presumed, doubted]);
    expect(loads).toEqual([{ keys: [doubted.key], keysPresumedAbsent: [presumed.key] }]);
  });

  it('finds its own row when it runs again, presumption and all', async () => {
    const store = aShard();
    const [first] = await requestTransfers(store, [presumed]);
    expect(await requestTransfers(store, [presumed])).toEqual([first]);
    expect(first).toMatchObject({ kind: 'accepted', transferId: presumed.transferId });
    expect(store.rows.transfers.size).toBe(1);
  });

  it('stores rows of the same form', async () => {
    const rows = await Promise.all(
      [true, false].map(async (isKeyPresumedAbsent) => {
        const store = new MemoryShardStore(0, () => START_MS);
        await requestTransfers(store, [{ ...presumed, isKeyPresumedAbsent }]);
        return store.rows;
      }),
    );
    expect(rows[0]).toEqual(rows[1]);
  });

  it('has a second attempt read all keys', () => {
    const { key: a } = presumed;
    const { key: b } = doubted;
    expect(readingAllKeys({ keysPresumedAbsent: [a] })).toEqual({ keys: [a] });
    const both = { keys: [b], keysPresumedAbsent: [a], accounts: ['x'] };
    expect(readingAllKeys(both)).toEqual({ keys: [b, a], accounts: ['x'] });
    expect(readingAllKeys({ keys: [b] })).toEqual({ keys: [b] });
  });

  it('refuses to leave one neither found nor inserted: nothing would guard it', async () => {
    const load = { keysPresumedAbsent: [presumed.key] };
    const looking = aShard().transact(load, (loaded) => {
      const set = new ChangeSet(loaded, load);
      expect(set.key(presumed.key)).toBeUndefined();
      return { changes: set.finish(), result: undefined };
    });
    await expect(looking).rejects.toMatchObject({
      kind: 'data',
      cause: expect.any(InvariantViolation),
    });
  });
});

describe('fundAccounts', () => {
  it('deposits against the external account of the same slot', async () => {
    const store = aShard();
    store.rows.accounts.set('alice', anAccount('alice'));
    const [result] = await fundAccounts(store, [aDeposit('alice', eur(500), 1)]);
    expect(result).toMatchObject({ kind: 'accepted', answer: { balance: '500', version: '1' } });
    expect(store.rows.legs.map((leg) => leg.minor)).toEqual([500n, -500n]);
    expect(store.rows.legs[1]?.account).toMatch(/^~external:\d+:EUR$/);
    expect(store.rows.openTransfers.size).toBe(0);
  });

  it('gives the first answer again for the same key, whatever happened since', async () => {
    const store = aShard();
    store.rows.accounts.set('alice', anAccount('alice'));
    const deposit = aDeposit('alice', eur(500), 1);
    await fundAccounts(store, [deposit]);
    await fundAccounts(store, [aDeposit('alice', eur(7), 2)]);
    const again = { ...deposit, transferId: aDeposit('alice', eur(1), 3).transferId };
    const [result] = await fundAccounts(store, [again]);
    expect(result).toMatchObject({ kind: 'replayed', answer: { balance: '500' } });
    expect(store.rows.accounts.get('alice')?.balance).toBe(507n);
  });

  it.each([
    ['a withdrawal beyond available', anAccount('alice', { balance: 499n }), 'insufficient_funds'],
    ['a frozen account', anAccount('alice', { balance: 900n, status: 'frozen' }), 'source_frozen'],
    ['an unknown account', undefined, 'source_not_found'],
  ])('writes nothing for %s', async (_, account, reason) => {
    const store = aShard();
    if (account) store.rows.accounts.set('alice', account);
    const withdrawal = { ...aDeposit('alice', eur(500), 1), direction: 'withdrawal' as const };
    expect(await fundAccounts(store, [withdrawal])).toEqual([{ kind: 'refused', reason }]);
    expect(store.rows.keys.size + store.rows.legs.length + store.rows.events.size).toBe(0);
  });
});

describe('openAccounts', () => {
  const opening = anOpening('alice');
  const claim = { key: aDeposit('alice', eur(1), 1).key, fingerprint: `01${'a'.repeat(64)}` };
  const claimed = { ...opening, claim };
  const otherKey = { ...claim, key: aDeposit('alice', eur(1), 2).key };

  it('opens once, answers the same opening with the account, and refuses a different one', async () => {
    const store = aShard();
    const results = await openAccounts(store, [opening, opening, { ...opening, currency: 'USD' }]);
    expect(results.map((result) => result.kind)).toEqual(['opened', 'existing', 'conflict']);
    expect(store.rows.accounts.size).toBe(1);
    expect(store.rows.keys.size).toBe(0);
  });

  it('writes the key beside the account, and names the account in it', async () => {
    const store = aShard();
    expect(await openAccounts(store, [claimed])).toMatchObject([{ kind: 'opened' }]);
    expect([...store.rows.keys.values()]).toMatchObject([
      { ...claim.key, fingerprint: claim.fingerprint, transferId: null },
    ]);
    expect(store.rows.keys.values().next().value?.answer).toBe('{"accountId":"alice"}');
  });

  it('gives the first answer again for the same key, in one group and whatever happened since', async () => {
    const store = aShard();
    const [first, second] = await openAccounts(store, [claimed, claimed]);
    await fundAccounts(store, [aDeposit('alice', eur(7), 3)]);
    const [later] = await openAccounts(store, [claimed]);
    expect(first?.kind).toBe('opened');
    expect([second, later]).toEqual(Array(2).fill({ ...first, kind: 'replayed' }));
    expect(store.rows.accounts.get('alice')?.balance).toBe(7n);
  });

  it.each<[string, AccountOpening]>([
    ['another request for the account', { ...claimed, claim: { ...claim, fingerprint: '01' } }],
    ['another account', { ...claimed, id: 'bob', claim: { ...claim, fingerprint: '01' } }],
  ])('refuses a key that was used before for %s', async (_, again) => {
    const store = aShard();
    await openAccounts(store, [claimed]);
    expect(await openAccounts(store, [again])).toEqual([{ kind: 'key_reused' }]);
    expect(store.rows.accounts.size).toBe(1);
  });

  it('shares its keys with the other operations of the slot', async () => {
    const store = aShard();
    const deposit = aDeposit('alice', eur(5), 1);
    await openAccounts(store, [claimed]);
    expect(await fundAccounts(store, [deposit])).toEqual([{ kind: 'key_reused' }]);
    expect(await fundAccounts(store, [{ ...deposit, key: otherKey.key }])).toMatchObject([
      { kind: 'accepted' },
    ]);
    expect(await openAccounts(store, [{ ...opening, claim: otherKey }])).toEqual([
      { kind: 'key_reused' },
    ]);
  });

  it('judges an account that is there by its attributes, and then claims no key', async () => {
    const store = aShard();
    await openAccounts(store, [claimed]);
    const same = { ...opening, claim: otherKey };
    const results = await openAccounts(store, [same, { ...same, currency: 'USD' }, same]);
    expect(results.map((result) => result.kind)).toEqual(['existing', 'conflict', 'existing']);
    expect(store.rows.keys.size).toBe(1);
  });
});
