import { beforeEach, describe, expect, it } from '@jest/globals';
import { decodeMessage, readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import {
  MemoryShardStore,
  aDeposit,
  aTransferId,
  aTransferRequest,
  anAccount,
  brokenPromises,
  eur,
  transitSums,
} from '@surety/testing';
import {
  StoreError,
  actingSlot,
  applySteps,
  cancelPortsOver,
  cancelTransfer,
  expireRequested,
  fundAccounts,
  isActionable,
  requestTransfers,
  voidTransfers,
} from './index.js';
import type { CancelPorts, CancelResult, EventRow } from './index.js';

const OPTIONS = { holdTimeoutMs: 300_000, actor: 'saga' };
const accounts = Array.from({ length: 40 }, (_, n) => `A${n}`);
const alice = accounts.find((id) => slotOfAccount(id) < 2048) as string;
const bob = accounts.find((id) => slotOfAccount(id) >= 2048) as string;

let shards: readonly [MemoryShardStore, MemoryShardStore];
let sent: Envelope[];
let id: TransferId;

const storeOf = (slot: number): MemoryShardStore => (slot < 2048 ? shards[0] : shards[1]);

function ports(changed: Partial<CancelPorts> = {}): CancelPorts {
  const eventsOf = (slot: number, transferId: TransferId): Promise<readonly EventRow[]> => {
    const all = [...storeOf(slot).rows.events.values()];
    return Promise.resolve(all.filter((event) => event.transferId === transferId));
  };
  return { ...cancelPortsOver({ storeOf, eventsOf, actor: 'saga' }), ...changed };
}

function cancel(changed?: Partial<CancelPorts>, transferId = id): Promise<CancelResult> {
  const request = { transferId, reason: 'cancelled_by_client', actor: 'client:default' } as const;
  return cancelTransfer(ports(changed), request);
}

/** Takes up every message that is under way, once. */
async function deliver(): Promise<void> {
  const events = shards.flatMap((store) =>
    store.rows.outbox.splice(0).flatMap((row) => {
      const decoded = decodeMessage(row.payload);
      return decoded.kind === 'events' ? decoded.events : [];
    }),
  );
  sent.push(...events);
  for (const event of events.filter(isActionable)) {
    await applySteps(storeOf(actingSlot(event)), [event], OPTIONS);
  }
}

/** Everything that was ever sent comes again and the rest is delivered: nobody may find more to do. */
async function settle(): Promise<void> {
  for (let round = 0; round < 6; round += 1) await deliver();
  for (const event of sent.filter(isActionable)) {
    const [result] = await applySteps(storeOf(actingSlot(event)), [event], OPTIONS);
    expect(result?.kind).toBe('already_applied');
  }
  expect(shards.flatMap((store) => brokenPromises(store.rows))).toEqual([]);
  expect(shards.flatMap((store) => [...store.rows.openTransfers])).toEqual([]);
  expect(transitSums(shards.map((store) => store.rows)).get('EUR') ?? 0n).toBe(0n);
}

function stateOf() {
  const { state, reason } = shards[0].rows.transfers.get(id)!;
  return { state, reason };
}

async function standing(step: number): Promise<Envelope> {
  const store = step === 30 ? shards[1] : shards[0];
  const { envelope } = store.rows.events.get(`${id}/${step}`)!;
  return Promise.resolve(readEnvelope(envelope));
}

beforeEach(async () => {
  let nowMs = Date.UTC(2026, 0, 1);
  const clock = (): number => (nowMs += 1);
  shards = [new MemoryShardStore(0, clock), new MemoryShardStore(1, clock)];
  sent = [];
  for (const account of [alice, bob]) {
    storeOf(slotOfAccount(account)).rows.accounts.set(account, anAccount(account));
  }
  await fundAccounts(shards[0], [aDeposit(alice, eur(1_000), 1)]);
  const request = aTransferRequest({ n: 1, source: alice, destination: bob, amount: eur(400) });
  await requestTransfers(shards[0], [request]);
  id = request.transferId;
});

describe('a cancel', () => {
  it.each([
    ['requested', 0],
    ['held', 1],
  ])('of a %s transfer ends it, and what comes late changes nothing', async (_, deliveries) => {
    for (let n = 0; n < deliveries; n += 1) await deliver();
    expect(await cancel()).toMatchObject({
      kind: 'ended',
      status: 'cancelled',
      reason: 'cancelled_by_client',
      fenced: true,
    });
    expect(stateOf()).toEqual({ state: 'cancelled', reason: 'cancelled_by_client' });
    expect(shards[0].rows.accounts.get(alice)).toMatchObject({ balance: 1_000n, held: 0n });
    expect((await standing(30)).actor).toBe('client:default');
    await settle();
    expect(shards[1].rows.accounts.get(bob)?.balance).toBe(0n);
  });

  it('that is repeated tells the same end and writes nothing', async () => {
    const first = await cancel();
    const before = shards.map((store) => structuredClone(store.rows));
    expect(await cancel()).toEqual({ ...first, fenced: false });
    expect(shards.map((store) => store.rows)).toEqual(before);
  });

  it('after the credit commits the transfer and says so', async () => {
    await deliver();
    await deliver();
    expect(stateOf().state).toBe('held');
    expect(await cancel()).toMatchObject({
      kind: 'ended',
      status: 'committed',
      reason: undefined,
      fenced: false,
    });
    expect(stateOf().state).toBe('committed');
    await settle();
    expect(shards[1].rows.accounts.get(bob)?.balance).toBe(400n);
  });

  it('after a refusal releases the hold and tells the reason', async () => {
    shards[1].rows.accounts.set(bob, anAccount(bob, { status: 'closed' }));
    await deliver();
    await deliver();
    expect(await cancel()).toMatchObject({ status: 'rejected', reason: 'destination_closed' });
    expect(shards[0].rows.accounts.get(alice)?.held).toBe(0n);
    await settle();
  });

  it('of a transfer whose expired hold is fenced already is a cancel all the same', async () => {
    await deliver();
    const cause = await standing(20);
    await voidTransfers(shards[1], [{ cause, reason: 'hold_expired', actor: 'reconciler' }]);
    const end = { status: 'cancelled', reason: 'hold_expired', fenced: false };
    expect(await cancel()).toMatchObject(end);
    expect(await cancel()).toMatchObject(end);
    await settle();
  });

  it.each([
    ['committed', 1_000n, 'committed', undefined],
    ['rejected', 399n, 'rejected', 'insufficient_funds'],
  ])('of a %s transfer tells its end', async (_, balance, status, reason) => {
    const account = shards[0].rows.accounts.get(alice)!;
    shards[0].rows.accounts.set(alice, { ...account, balance });
    for (let round = 0; round < 5; round += 1) await deliver();
    const before = shards.map((store) => structuredClone(store.rows));
    expect(await cancel()).toMatchObject({ kind: 'ended', status, reason, fenced: false });
    expect(shards.map((store) => store.rows)).toEqual(before);
  });

  it('of an unknown transfer finds nothing', async () => {
    expect(await cancel({}, aTransferId(alice, 77))).toEqual({ kind: 'not_found' });
  });
});

describe('a cancel that meets somebody else on its way', () => {
  it('finds the credit that came in between', async () => {
    await deliver();
    const held = await standing(20);
    const result = await cancel({
      void: async (request) => {
        await applySteps(shards[1], [held], OPTIONS);
        return ports().void(request);
      },
    });
    expect(result).toMatchObject({ status: 'committed', fenced: false });
    await settle();
  });

  it('finds the rejection that took the place of the hold', async () => {
    const requested = await standing(10);
    const result = await cancel({
      void: async (request) => {
        await expireRequested(shards[0], [requested], 'reconciler');
        return ports().void(request);
      },
    });
    expect(result).toMatchObject({ status: 'rejected', reason: 'not_processed', fenced: true });
    await settle();
  });

  it('finds the release that a worker made of its own void', async () => {
    const result = await cancel({
      follow: async (decided) => {
        await applySteps(shards[0], [decided], OPTIONS);
        return ports().follow(decided);
      },
    });
    expect(result).toMatchObject({ status: 'cancelled', fenced: true });
    await settle();
  });

  it('is driven on by the workers where the source fails after the void', async () => {
    await deliver();
    const away = new StoreError('environment', 'away');
    await expect(cancel({ follow: () => Promise.reject(away) })).rejects.toBe(away);
    expect(stateOf().state).toBe('held');
    await settle();
    expect(await cancel()).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client' });
  });

  it('writes nothing where the destination fails', async () => {
    const before = structuredClone(shards[0].rows);
    const away = new StoreError('environment', 'away');
    await expect(cancel({ void: () => Promise.reject(away) })).rejects.toBe(away);
    expect(shards[0].rows).toEqual(before);
    await settle();
    expect(stateOf().state).toBe('committed');
  });

  it('raises an alarm, and changes nothing, where the row contradicts the decision', async () => {
    await deliver();
    await deliver();
    const row = shards[0].rows.transfers.get(id)!;
    shards[0].rows.transfers.set(id, { ...row, state: 'requested' });
    const before = structuredClone(shards[0].rows);
    expect(await cancel()).toEqual({ kind: 'alarm', alarm: 'decision_before_hold' });
    expect(shards[0].rows).toEqual(before);
  });
});
