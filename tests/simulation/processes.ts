import { TOPICS, decodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { shardOfSlot, slotOfAccount } from '@surety/domain';
import {
  NO_CHANGES,
  StoreError,
  actingSlot,
  applySteps,
  fundAccounts,
  isActionable,
  requestTransfers,
  voidTransfers,
} from '@surety/saga';
import type { FundingResult, RequestResult } from '@surety/saga';
import { aDeposit, aKeyHash, aTransferId, aTransferRequest, eur } from '@surety/testing';
import { BrokerAway } from '@surety/testing/simulation';
import type { Life, LogMessage, OutboxEntry, SimulatedShard } from '@surety/testing/simulation';
import { createCursor, createFold, createSweeps } from './parts.js';
import type { Cursor, SweepShard } from './parts.js';
import { HOLD_TIMEOUT_MS, PROJECTOR, STALL_TIMEOUT_MS, WORKERS } from './world.js';
import type { Intent, World } from './world.js';

/** Small pages, so that the end of a page is met often. */
const PAGE_ROWS = 8;
const BACKOFF_MS = { least: 50, most: 1_500 };

/** Runs one turn after the other. What is the environment's fault is tried again later. */
async function forever(world: World, life: Life, turn: () => Promise<void>): Promise<never> {
  const { random } = world;
  for (;;) {
    try {
      await turn();
    } catch (error) {
      if (!isEnvironment(error)) world.broken(`${life.process.name} met ${describe(error)}`);
      await life.sleep(random.between(BACKOFF_MS.least, BACKOFF_MS.most));
    }
  }
}

function isEnvironment(error: unknown): boolean {
  return (
    error instanceof BrokerAway || (error instanceof StoreError && error.kind === 'environment')
  );
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

// --- relay -----------------------------------------------------------------------------------

export function relay(world: World, shard: SimulatedShard): (life: Life) => Promise<void> {
  const saved = { top: 0n };
  return async (life) => {
    const cursor = world.has('cursor_skips_late_rows') ? forgetful(saved) : createCursor();
    cursor.restart(life.nowMs());
    await forever(world, life, async () => {
      try {
        const published = await relayRound(world, life, shard, cursor);
        if (published === 0) await life.sleep(world.random.between(50, 400));
      } catch (error) {
        cursor.restart(life.nowMs());
        throw error;
      }
    });
  };
}

async function relayRound(
  world: World,
  life: Life,
  shard: SimulatedShard,
  cursor: Cursor,
): Promise<number> {
  const read = cursor.plan(life.nowMs());
  const rows = await shard.statement(life, () => after(shard, read.afterSeq));
  const found =
    read.gaps.length > 0 ? await shard.statement(life, () => these(shard, read.gaps)) : [];
  const seqs = rows.map((row) => row.seq);
  const foundGaps = found.map((row) => row.seq);
  cursor.record(read, { seqs, foundGaps, isFull: rows.length >= PAGE_ROWS }, life.nowMs());
  const all = [...new Map([...found, ...rows].map((row) => [row.seq, row])).values()];
  if (all.length === 0) return 0;
  const remove = (): Promise<void> => shard.statement(life, () => deleteRows(world, shard, all));
  if (world.has('deletion_before_publishing')) await remove();
  await world.log.publish(life, all.map(toMessage));
  await remove();
  return all.length;
}

function deleteRows(world: World, shard: SimulatedShard, sent: readonly OutboxEntry[]): void {
  const top = sent.reduce((most, { seq }) => (seq > most ? seq : most), 0n);
  const isByRange = world.has('deletion_by_range');
  const rows = isByRange
    ? [...shard.outbox.values()].filter(({ seq }) => seq <= top)
    : sent.filter(({ seq }) => shard.outbox.has(seq));
  for (const row of rows) {
    shard.outbox.delete(row.seq);
    if (!world.log.has(toMessage(row))) {
      world.broken(`outbox row ${row.seq} of shard ${shard.id} is deleted and was never sent`);
    }
  }
}

function toMessage({ topic, partition, payload }: OutboxEntry): LogMessage {
  return { topic: TOPICS[topic as keyof typeof TOPICS], partition, value: payload };
}

function after(shard: SimulatedShard, seq: bigint): OutboxEntry[] {
  return [...shard.outbox.values()]
    .filter((row) => row.seq > seq)
    .sort((one, other) => (one.seq < other.seq ? -1 : 1))
    .slice(0, PAGE_ROWS);
}

function these(shard: SimulatedShard, seqs: readonly bigint[]): OutboxEntry[] {
  return seqs.flatMap((seq) => shard.outbox.get(seq) ?? []);
}

/** Only what is above the highest number seen: a late row is never looked for. */
function forgetful(saved: { top: bigint }): Cursor {
  return {
    restart: () => undefined,
    plan: (plannedAtMs) => ({ afterSeq: saved.top, gaps: [], isSweep: false, plannedAtMs }),
    record: (_, { seqs }) => {
      saved.top = seqs.at(-1) ?? saved.top;
    },
  };
}

// --- consumers -------------------------------------------------------------------------------

function eventsOf(messages: readonly LogMessage[]): Envelope[] {
  return messages.flatMap(({ value }) => {
    const decoded = decodeMessage(value);
    if (decoded.kind !== 'events') throw new TypeError(`a message is ${decoded.kind}`);
    return decoded.events;
  });
}

/** Takes the messages of one partition after the other; the offset follows the commit. */
function consume(
  world: World,
  group: string,
  handle: (life: Life, messages: readonly LogMessage[]) => Promise<void>,
): (life: Life) => Promise<void> {
  const { log, random, scheduler } = world;
  const isEarly = group === PROJECTOR && world.has('offset_before_commit');
  return (life) =>
    forever(world, life, async () => {
      const readable = log.readable(group, scheduler.nowMs);
      if (readable.length === 0) {
        await life.sleep(random.between(30, 200));
        return;
      }
      const key = random.pick(readable);
      const { messages, next } = log.read(group, key, random.between(1, 10));
      if (isEarly) log.commit(group, key, next);
      await life.roundTrip();
      await handle(life, messages);
      await life.roundTrip();
      log.commit(group, key, next);
    });
}

export function worker(world: World, isChaining: boolean): (life: Life) => Promise<void> {
  return consume(world, WORKERS, async (life, messages) => {
    const groups = new Map<SimulatedShard, Envelope[]>();
    for (const event of eventsOf(messages).filter(isActionable)) {
      const shard = world.shardOf(actingSlot(event));
      groups.set(shard, [...(groups.get(shard) ?? []), event]);
    }
    for (const [shard, events] of groups) {
      const continuesOn = (slot: number): boolean =>
        world.has('chain_onto_another_shard') || shardOfSlot(world.map, slot) === shard.id;
      const results = await applySteps(world.store(life, shard), events, {
        holdTimeoutMs: HOLD_TIMEOUT_MS,
        actor: 'saga',
        ...(isChaining ? { continuesOn } : {}),
      });
      results.forEach((result, at) => {
        const event = events[at]!;
        if (result.kind === 'alarm') {
          world.broken(`alarm ${result.alarm} at ${event.id}`, [event.transferId]);
        }
      });
    }
  });
}

export function projector(world: World): (life: Life) => Promise<void> {
  const isUnguarded = world.has('projector_without_version_guard');
  return consume(world, PROJECTOR, async (life, messages) => {
    const fold = createFold();
    for (const event of eventsOf(messages)) fold.take(event);
    const shard = world.random.pick(world.shards);
    await shard.statement(life, () => {
      for (const row of fold.balances.values()) {
        const version = world.balances.get(row.accountId)?.version ?? -1n;
        if (isUnguarded || version < row.version) world.balances.set(row.accountId, row);
      }
    });
    await shard.statement(life, () => {
      for (const row of fold.statuses.values()) {
        const version = world.statuses.get(row.transferId)?.version ?? 0;
        if (isUnguarded || version < row.version) world.statuses.set(row.transferId, row);
      }
    });
  });
}

// --- reconciler ------------------------------------------------------------------------------

export function reconciler(world: World, shard: SimulatedShard): (life: Life) => Promise<void> {
  return (life) => {
    const source = world.sweepShard(life, shard);
    const sweep = createSweeps({
      source,
      shardOf: (slot) => world.sweepShard(life, world.shardOf(slot)),
      holdTimeoutMs: HOLD_TIMEOUT_MS,
      stallTimeoutMs: STALL_TIMEOUT_MS,
      nowMs: () => life.nowMs(),
      alarmed: (message, id) => world.broken(`the reconciler met ${message}`, id ? [id] : []),
    });
    return forever(world, life, async () => {
      if (world.has('release_on_a_timer')) await releaseExpired(source);
      if (world.has('repair_beside_the_steps')) await cancelBesideTheSteps(source);
      await sweep();
      await life.sleep(world.random.between(500, 2_000));
    });
  };
}

async function releaseExpired({ reads, store }: SweepShard): Promise<void> {
  const holds = await reads.expiredHolds(undefined, PAGE_ROWS);
  const held = await reads.events(holds.map(({ transferId }) => ({ transferId, step: 20 })));
  const invented = held.map(({ envelope }): Envelope => ({
    ...envelope,
    id: `${envelope.transferId}/30`,
    type: 'voided',
    step: 30,
    data: { ...envelope.data, reason: 'hold_expired' },
  }));
  await applySteps(store, invented, { holdTimeoutMs: HOLD_TIMEOUT_MS, actor: 'reconciler' });
}

async function cancelBesideTheSteps({ reads, store }: SweepShard): Promise<void> {
  for (const { transferId } of await reads.expiredHolds(undefined, PAGE_ROWS)) {
    await store.transact({ transfers: [transferId] }, ({ transfers }) => {
      const row = transfers.get(transferId);
      if (row?.state !== 'held') return { changes: NO_CHANGES, result: undefined };
      const update = { ...row, from: 'held', to: 'cancelled', reason: 'hold_expired' } as const;
      const changes = { ...NO_CHANGES, transfersUpdated: [update], holdsDeleted: [transferId] };
      return { changes, result: undefined };
    });
  }
}

// --- clients ---------------------------------------------------------------------------------

/** Asks for each of its wishes until it has an answer. It remembers its wishes over a crash. */
export function client(world: World, intents: readonly Intent[]): (life: Life) => Promise<void> {
  return async (life) => {
    for (const intent of intents) {
      const waitMs = intent.afterMs - life.kernel.scheduler.nowMs;
      if (waitMs > 0) await life.sleep(waitMs);
      while (!intent.acknowledged) await attempt(world, life, intent);
      if (!intent.isCancelled) continue;
      intent.isCancelled = false;
      await cancel(world, life, intent);
    }
    world.finishedClients.add(life.process.name);
  };
}

async function attempt(world: World, life: Life, intent: Intent): Promise<void> {
  const { random } = world;
  const shard = world.shardOf(slotOfAccount(intent.source));
  const store = world.store(life, shard);
  // Sometimes the door tries again itself, with the id it had composed; else the client comes again.
  const last = [...intent.tried].at(-1);
  const isSameId = last !== undefined && random.chance(0.5);
  const id = isSameId ? last : aTransferId(intent.source, intent.n * 1_000 + intent.tried.size);
  intent.tried.add(id);
  world.intentOf.set(id, intent);
  const key = world.has('retry_under_a_new_key') ? `key-${id}` : `key-${intent.n}`;
  if (world.has('acknowledged_before_commit')) world.acknowledge(intent, id);
  try {
    take(await send());
    // A client that had its answer and lost it asks once more.
    if (intent.acknowledged && random.chance(0.1)) take(await send());
    if (!intent.acknowledged) await life.sleep(BACKOFF_MS.most);
  } catch (error) {
    if (!isEnvironment(error)) world.broken(`${life.process.name} met ${describe(error)}`, [id]);
    await life.sleep(random.between(BACKOFF_MS.least, BACKOFF_MS.most));
  }

  function take(answer: RequestResult | FundingResult | undefined): void {
    // A refused deposit wrote nothing: the same key may be tried again.
    if (answer?.kind === 'refused') return;
    if (answer && 'transferId' in answer) world.acknowledge(intent, answer.transferId);
    else world.broken(`key ${intent.n} was answered with ${answer?.kind ?? 'nothing'}`, [id]);
  }

  async function send(): Promise<RequestResult | FundingResult | undefined> {
    const { source, destination, minor, n } = intent;
    const keyRef = { slot: slotOfAccount(source), keyHash: aKeyHash(key) };
    const common = { transferId: id, key: keyRef };
    if (intent.kind === 'deposit') {
      const request = { ...aDeposit(source, eur(minor), n), ...common };
      return (await fundAccounts(store, [request]))[0];
    }
    const request = {
      ...aTransferRequest({ n, source, destination, amount: eur(minor) }),
      ...common,
    };
    return (await requestTransfers(store, [request]))[0];
  }
}

async function cancel(world: World, life: Life, intent: Intent): Promise<void> {
  const id = intent.acknowledged;
  if (!id || intent.kind !== 'transfer') return;
  await life.sleep(world.random.between(0, 2_000));
  try {
    const source = world.sweepShard(life, world.shardOf(slotOfAccount(intent.source)));
    const [requested] = await source.reads.events([{ transferId: id, step: 10 }]);
    if (!requested) return;
    const cause = requested.envelope;
    const destination = world.store(life, world.shardOf(cause.destinationSlot));
    const request = { cause, reason: 'cancelled_by_client', actor: 'client:default' } as const;
    await voidTransfers(destination, [request]);
    life.kernel.faults.count('cancel');
  } catch (error) {
    if (!isEnvironment(error)) world.broken(`${life.process.name} met ${describe(error)}`, [id]);
  }
}
