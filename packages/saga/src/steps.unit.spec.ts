import { describe, expect, it } from '@jest/globals';
import { ENVELOPE_SCHEMA, decodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import {
  MemoryShardStore,
  aDeposit,
  aTransferRequest,
  anAccount,
  brokenPromises,
  eur,
  transitSums,
} from '@surety/testing';
import fc from 'fast-check';
import {
  applySteps,
  expireRequested,
  fundAccounts,
  requestTransfers,
  voidTransfers,
} from './index.js';
import type { StepOptions } from './index.js';

const OPTIONS: StepOptions = { holdTimeoutMs: 300_000, actor: 'saga' };
const START_MS = Date.UTC(2026, 0, 1);

/** Two shards, each with a few accounts; which shard an account is on follows from its slot. */
function twoShards(): [MemoryShardStore, MemoryShardStore] {
  let nowMs = START_MS;
  const clock = (): number => (nowMs += 1);
  return [new MemoryShardStore(0, clock), new MemoryShardStore(1, clock)];
}

type Shards = readonly [MemoryShardStore, MemoryShardStore];

function shardOf(shards: Shards, slot: number): MemoryShardStore {
  return slot < 2048 ? shards[0] : shards[1];
}

const accountIds = Array.from({ length: 40 }, (_, n) => `A${n}`);
const onShard0 = accountIds.filter((id) => slotOfAccount(id) < 2048);
const onShard1 = accountIds.filter((id) => slotOfAccount(id) >= 2048);
const [alice, carol] = onShard0 as [string, string];
const [bob] = onShard1 as [string];

function open(shards: Shards, id: string, fields = {}): void {
  shardOf(shards, slotOfAccount(id)).rows.accounts.set(id, anAccount(id, fields));
}

/** Takes everything out of the outboxes: what the relay would publish, in order. */
function relay(shards: Shards): Envelope[] {
  return shards.flatMap((store) =>
    store.rows.outbox.splice(0).flatMap((row) => {
      const decoded = decodeMessage(row.payload);
      if (decoded.kind !== 'events') throw new Error(`undecodable: ${row.payload}`);
      return decoded.events;
    }),
  );
}

async function deliver(
  shards: Shards,
  events: readonly Envelope[],
  options: StepOptions = OPTIONS,
): Promise<string[]> {
  const kinds: string[] = [];
  for (const store of shards) {
    const mine = events.filter(
      (event) =>
        !['committed', 'rejected', 'cancelled'].includes(event.type) &&
        shardOf(shards, event.type === 'held' ? event.destinationSlot : event.sourceSlot) === store,
    );
    if (mine.length === 0) continue;
    kinds.push(...(await applySteps(store, mine, options)).map((result) => result.kind));
  }
  return kinds;
}

/** Relays and delivers until nothing is under way any more. */
async function settle(shards: Shards, options: StepOptions = OPTIONS): Promise<Envelope[]> {
  const history: Envelope[] = [];
  for (let round = 0; round < 10; round += 1) {
    const events = relay(shards);
    if (events.length === 0) return history;
    history.push(...events);
    await deliver(shards, events, options);
  }
  throw new Error('the transfers did not settle');
}

async function fund(shards: Shards, id: string, minor: number): Promise<void> {
  const store = shardOf(shards, slotOfAccount(id));
  const [result] = await fundAccounts(store, [aDeposit(id, eur(minor), 1)]);
  expect(result?.kind).toBe('accepted');
}

async function request(
  shards: Shards,
  n: number,
  source: string,
  destination: string,
  minor = 100,
) {
  const body = aTransferRequest({ n, source, destination, amount: eur(minor) });
  const store = shardOf(shards, slotOfAccount(source));
  const [result] = await requestTransfers(store, [body]);
  return { id: body.transferId, result };
}

function expectSound(shards: Shards): void {
  expect(shards.flatMap((store) => brokenPromises(store.rows))).toEqual([]);
}

async function scene(fields: { alice?: object; bob?: object } = {}): Promise<Shards> {
  const shards = twoShards();
  open(shards, alice, {});
  open(shards, bob, {});
  open(shards, carol, {});
  await fund(shards, alice, 1_000);
  relay(shards);
  const sender = shards[0].rows.accounts.get(alice);
  if (sender && fields.alice) shards[0].rows.accounts.set(alice, { ...sender, ...fields.alice });
  open(shards, bob, fields.bob ?? {});
  return shards;
}

describe('a transfer across two shards', () => {
  it('is requested, held, credited and committed, and its legs leave transit empty', async () => {
    const shards = await scene();
    const { id } = await request(shards, 1, alice, bob, 250);
    const history = await settle(shards);
    expect(history.map((event) => event.type)).toEqual([
      'requested',
      'held',
      'credited',
      'committed',
    ]);
    expect(history.map((event) => event.causation)).toEqual([
      null,
      `${id}/10`,
      `${id}/20`,
      `${id}/30`,
    ]);
    expect(shards[0].rows.accounts.get(alice)).toMatchObject({
      balance: 750n,
      held: 0n,
      version: 3n,
    });
    expect(shards[1].rows.accounts.get(bob)).toMatchObject({ balance: 250n, version: 1n });
    expect(transitSums(shards.map((store) => store.rows)).get('EUR')).toBe(0n);
    expectSound(shards);
  });

  it.each([
    ['without funds', { alice: { balance: 99n } }, 'insufficient_funds'],
    ['from a frozen account', { alice: { status: 'frozen' } }, 'source_frozen'],
    ['to a frozen account', { bob: { status: 'frozen' } }, 'destination_frozen'],
    ['to a closed account', { bob: { status: 'closed' } }, 'destination_closed'],
    ['to another currency', { bob: { currency: 'USD' } }, 'destination_currency_mismatch'],
    ['to a blocked account', { bob: { creditsBlocked: true } }, 'credits_blocked'],
  ])('%s is rejected with its reason', async (_, fields, reason) => {
    const shards = await scene(fields);
    const { id } = await request(shards, 1, alice, bob);
    await settle(shards);
    expect(shards[0].rows.transfers.get(id)).toMatchObject({ state: 'rejected', reason });
    expect(shards[0].rows.holds.size).toBe(0);
    expect(shards[0].rows.accounts.get(alice)?.held).toBe(0n);
  });

  it('commits although the source was frozen after the hold', async () => {
    const shards = await scene();
    const { id } = await request(shards, 1, alice, bob);
    await deliver(shards, relay(shards));
    const held = shards[0].rows.accounts.get(alice);
    if (held) shards[0].rows.accounts.set(alice, { ...held, status: 'closed' });
    await settle(shards);
    expect(shards[0].rows.transfers.get(id)?.state).toBe('committed');
  });

  it('changes nothing when every message comes again, in any order', async () => {
    const shards = await scene();
    await request(shards, 1, alice, bob);
    const history = await settle(shards);
    const before = shards.map((store) => structuredClone(store.rows));
    expect(await deliver(shards, [...history].reverse())).not.toContain('applied');
    expect(shards.map((store) => store.rows)).toEqual(before);
  });

  it('goes on in the form that the transfer began in, so older readers can end what they began', async () => {
    for (const schema of [1, ENVELOPE_SCHEMA]) {
      const shards = await scene();
      await request(shards, 1, alice, bob);
      const begun = relay(shards).map((event) => ({ ...event, schema }));
      await deliver(shards, begun);
      const answers = await settle(shards);
      expect(answers.map(({ type }) => type)).toEqual(['held', 'credited', 'committed']);
      expect(answers.map((answer) => answer.schema)).toEqual([schema, schema, schema]);
    }
  });

  it('raises an alarm for a credit that nobody can commit', async () => {
    const shards = await scene();
    const { id } = await request(shards, 1, alice, bob);
    const [requested] = relay(shards);
    await deliver(shards, [requested as Envelope]);
    const [held] = relay(shards);
    await deliver(shards, [held as Envelope]);
    const [credited] = relay(shards);
    const row = shards[0].rows.transfers.get(id);
    if (row) {
      shards[0].rows.transfers.set(id, { ...row, state: 'cancelled', reason: 'hold_expired' });
    }
    const [result] = await applySteps(shards[0], [credited as Envelope], OPTIONS);
    expect(result).toEqual({ kind: 'alarm', alarm: 'credited_but_not_committable' });
  });

  it('does nothing for a transfer that is not there', async () => {
    const shards = await scene();
    await request(shards, 1, alice, bob);
    const [requested] = relay(shards);
    shards[0].rows.transfers.clear();
    const results = await applySteps(shards[0], [requested as Envelope], OPTIONS);
    expect(results).toEqual([{ kind: 'alarm', alarm: 'transfer_missing' }]);
    expect(shards[0].rows.holds.size).toBe(0);
  });
});

describe('a refusal', () => {
  it('carries the account as it was seen', async () => {
    const shards = await scene();
    await request(shards, 1, alice, bob, 1_001);
    const history = await settle(shards);
    expect(history.at(-1)).toMatchObject({
      type: 'rejected',
      data: { reason: 'insufficient_funds' },
      accounts: [{ id: alice, balance: '1000', held: '0', version: '1' }],
    });
  });
});

describe('a batch', () => {
  it('sees its own earlier steps: two transfers cannot both spend the last money', async () => {
    const shards = await scene();
    await request(shards, 1, alice, bob, 600);
    await request(shards, 2, alice, bob, 600);
    await settle(shards);
    const states = [...shards[0].rows.transfers.values()].map((row) => row.state);
    expect(states.sort()).toEqual(['committed', 'committed', 'rejected']);
    expectSound(shards);
  });

  it('takes the same event twice in one transaction once', async () => {
    const shards = await scene();
    await request(shards, 1, alice, bob);
    const [requested] = relay(shards) as [Envelope];
    const results = await applySteps(shards[0], [requested, requested], OPTIONS);
    expect(results.map((result) => result.kind)).toEqual(['applied', 'already_applied']);
    expectSound(shards);
  });
});

describe('steps that continue on the same shard', () => {
  const here: StepOptions = { ...OPTIONS, continuesOn: (slot) => slot < 2048 };

  it('hold, credit and commit in one transaction with all events and legs, and no hold row', async () => {
    const shards = await scene();
    const { id } = await request(shards, 1, alice, carol, 300);
    const before = shards[0].commits;
    const results = await applySteps(shards[0], relay(shards), here);
    expect(shards[0].commits - before).toBe(1);
    const types = results.map((r) => (r.kind === 'applied' ? r.events.map((e) => e.type) : r.kind));
    expect(types).toEqual([['held', 'credited', 'committed']]);
    expect([10, 20, 30, 40].map((step) => shards[0].rows.events.has(`${id}/${step}`))).toEqual(
      Array(4).fill(true),
    );
    expect(shards[0].rows.outbox.map((row) => row.topic)).toEqual(['ended']);
    expectSound(shards);
  });

  it('end a refused transfer at once and leave the source as it was', async () => {
    const shards = await scene();
    const receiver = shards[0].rows.accounts.get(carol);
    if (receiver) shards[0].rows.accounts.set(carol, { ...receiver, status: 'closed' });
    const { id } = await request(shards, 1, alice, carol, 300);
    await settle(shards, here);
    expect(shards[0].rows.transfers.get(id)).toMatchObject({
      state: 'rejected',
      reason: 'destination_closed',
    });
    expect(shards[0].rows.accounts.get(alice)).toMatchObject({ balance: 1_000n, held: 0n });
    expectSound(shards);
  });

  it('stop after the hold where a void was there first', async () => {
    const shards = await scene();
    const { id } = await request(shards, 1, alice, carol, 300);
    const [requested] = relay(shards) as [Envelope];
    await voidTransfers(shards[0], [
      { cause: requested, reason: 'cancelled_by_client', actor: 'client:default' },
    ]);
    await applySteps(shards[0], [requested], here);
    await settle(shards, here);
    expect(shards[0].rows.transfers.get(id)?.state).toBe('cancelled');
    expectSound(shards);
  });
});

describe('a row that was not asked for', () => {
  it('is never taken for absent: a map that changes between lock and decision stops the batch', async () => {
    const shards = await scene();
    await request(shards, 1, alice, carol, 300);
    let asked = 0;
    // Says no while rows are locked and yes when the steps are decided.
    const continuesOn = (): boolean => (asked += 1) > 1;
    const attempt = applySteps(shards[0], relay(shards), { ...OPTIONS, continuesOn });
    await expect(attempt).rejects.toMatchObject({ kind: 'data' });
    expect([...shards[0].rows.transfers.values()].map((row) => row.state)).toContain('requested');
    expectSound(shards);
  });
});

describe('a hold that nobody credits', () => {
  it('is released only after the destination was fenced, and a late credit finds the void', async () => {
    const shards = await scene();
    const { id } = await request(shards, 1, alice, bob);
    await deliver(shards, relay(shards));
    const [held] = relay(shards) as [Envelope];
    const [result] = await voidTransfers(shards[1], [
      { cause: held, reason: 'hold_expired', actor: 'reconciler' },
    ]);
    expect(result?.decision.outcome).toBe('voided');
    await applySteps(shards[0], [result?.voided as Envelope], OPTIONS);
    expect(await deliver(shards, [held])).toEqual(['already_applied']);
    await settle(shards);
    expect(shards[0].rows.transfers.get(id)).toMatchObject({
      state: 'cancelled',
      reason: 'hold_expired',
    });
    expect(shards[1].rows.accounts.get(bob)?.balance).toBe(0n);
    expectSound(shards);
  });

  it('is rolled forward where the destination had credited', async () => {
    const shards = await scene();
    const { id } = await request(shards, 1, alice, bob);
    await deliver(shards, relay(shards));
    const [held] = relay(shards) as [Envelope];
    await deliver(shards, [held]);
    const [result] = await voidTransfers(shards[1], [
      { cause: held, reason: 'hold_expired', actor: 'reconciler' },
    ]);
    expect(result).toEqual({ decision: { outcome: 'credited' }, voided: undefined });
    await settle(shards);
    expect(shards[0].rows.transfers.get(id)?.state).toBe('committed');
  });
});

describe('a requested transfer that nobody takes up', () => {
  it('is rejected once, and a late hold changes nothing', async () => {
    const shards = await scene();
    const { id } = await request(shards, 1, alice, bob);
    const [requested] = relay(shards) as [Envelope];
    expect(await expireRequested(shards[0], [requested], 'reconciler')).toEqual([true]);
    expect(await expireRequested(shards[0], [requested], 'reconciler')).toEqual([false]);
    expect(await deliver(shards, [requested])).toEqual(['already_applied']);
    expect(shards[0].rows.transfers.get(id)).toMatchObject({
      state: 'rejected',
      reason: 'not_processed',
    });
    expectSound(shards);
  });
});

describe('any delivery', () => {
  it('with repeats, reordering and chance voids keeps every promise and ends every transfer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.integer({ min: 1, max: 700 })), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.infiniteStream(fc.nat()),
        fc.boolean(),
        async (wishes, chances, chained) => {
          const chance = (below: number): number => (chances.next().value as number) % below;
          await runAtRandom({ wishes, chance, chained });
        },
      ),
      { numRuns: 60 },
    );
  });
});

async function runAtRandom(plan: {
  wishes: readonly (readonly [number, number, number])[];
  chance: (below: number) => number;
  chained: boolean;
}): Promise<void> {
  const shards = twoShards();
  const people = [...onShard0.slice(0, 3), ...onShard1.slice(0, 3)];
  for (const id of people) {
    open(shards, id);
    await fund(shards, id, 1_000);
  }
  relay(shards);
  for (const [n, [from, to, minor]] of plan.wishes.entries()) {
    if (from !== to) await request(shards, n, people[from] as string, people[to] as string, minor);
  }
  const seen: Envelope[] = [];
  for (let round = 0; round < 400; round += 1) {
    seen.push(...relay(shards));
    if (seen.length === 0) break;
    const event = seen[plan.chance(seen.length)] as Envelope;
    await deliverOne(shards, event, plan);
    expectSound(shards);
  }
  for (const event of [...seen]) await deliverOne(shards, event, { ...plan, chance: () => 1 });
  for (let round = 0; round < 6; round += 1) {
    const events = relay(shards);
    seen.push(...events);
    for (const event of seen) await deliverOne(shards, event, { ...plan, chance: () => 1 });
  }
  expectSound(shards);
  expect(shards.flatMap((store) => [...store.rows.openTransfers])).toEqual([]);
  expect(transitSums(shards.map((store) => store.rows)).get('EUR') ?? 0n).toBe(0n);
}

async function deliverOne(
  shards: Shards,
  event: Envelope,
  plan: { chance: (below: number) => number; chained: boolean },
): Promise<void> {
  if (plan.chance(10) === 0 && (event.type === 'held' || event.type === 'requested')) {
    const store = shardOf(shards, event.destinationSlot);
    await voidTransfers(store, [{ cause: event, reason: 'hold_expired', actor: 'reconciler' }]);
    return;
  }
  const acting = shardOf(shards, event.type === 'held' ? event.destinationSlot : event.sourceSlot);
  const continuesOn = (slot: number): boolean => shardOf(shards, slot) === acting;
  await deliver(shards, [event], plan.chained ? { ...OPTIONS, continuesOn } : OPTIONS);
}
