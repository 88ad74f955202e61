import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { evenSlotMap, isEnded, shardOfSlot } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import {
  actingSlot,
  applySteps,
  expireRequested,
  isActionable,
  requestTransfers,
  voidTransfers,
} from '@surety/saga';
import type { ShardStore, TransferRequest } from '@surety/saga';
import { MemoryShardStore, brokenPromises, transitSums } from '@surety/testing';
import { illegalHistory } from '@surety/testing/simulation';

const NOW_MS = Date.parse('2026-01-31T10:00:00Z');
/** A message and one duplicate of it. */
const DELIVERIES_MAX = 2;
const MAP = evenSlotMap(2);

export interface ModelOptions {
  /** Two shards with funded accounts; they are not changed. */
  readonly shards: readonly MemoryShardStore[];
  readonly requests: readonly TransferRequest[];
  readonly deliveriesMax?: number;
  /** Whether steps that follow on the same shard are taken in the same transaction. */
  readonly isChaining: boolean;
  /** What the steps see of a store, to plant a bug. */
  readonly through?: (store: ShardStore) => ShardStore;
}

export interface ModelResult {
  readonly states: number;
  readonly transitions: number;
  /** Ends that were reached: `committed`, or `committed+rejected` for two transfers. */
  readonly ends: ReadonlySet<string>;
  readonly violations: readonly string[];
}

/** What may still happen once: to each transfer a timeout and a cancel, to the whole one crash. */
interface State {
  readonly shards: readonly MemoryShardStore[];
  readonly deliveries: ReadonlyMap<string, number>;
  readonly spent: ReadonlySet<string>;
  readonly path: string;
}

interface Move {
  readonly name: string;
  readonly run: (shards: readonly MemoryShardStore[]) => Promise<readonly string[]>;
  readonly delivers?: string;
  readonly spends?: string;
}

/**
 * Every order in which the steps of one or two transfers can happen, with one duplicate of each
 * message, one timeout, one cancel and one crash: not sampled but all of them. Each state is looked
 * at once, however many orders lead to it.
 */
export async function exploreAll(options: ModelOptions): Promise<ModelResult> {
  const ids = options.requests.map((request) => request.transferId);
  const start: State = {
    shards: options.shards.map(copyOf),
    deliveries: new Map(),
    spent: new Set(),
    path: '',
  };
  await request(start.shards, options.requests);
  const known = new Set([digest(start)]);
  const ends = new Set<string>();
  const violations = faultsOf(start, ids, ends);
  const todo = [start];
  let transitions = 0;
  for (let state = todo.pop(); state && violations.length === 0; state = todo.pop()) {
    for (const move of movesOf(state, ids, options)) {
      const next = await after(state, move, violations);
      transitions += 1;
      const key = digest(next);
      if (known.has(key)) continue;
      known.add(key);
      violations.push(...faultsOf(next, ids, ends));
      todo.push(next);
    }
  }
  return { states: known.size, transitions, ends, violations };
}

async function request(
  shards: readonly MemoryShardStore[],
  requests: readonly TransferRequest[],
): Promise<void> {
  for (const one of requests) await requestTransfers(storeOf(shards, one.key.slot), [one]);
}

function storeOf(shards: readonly MemoryShardStore[], slot: number): MemoryShardStore {
  return shards[shardOfSlot(MAP, slot)]!;
}

function eventsOf({ shards }: State, id: TransferId): Envelope[] {
  return shards.flatMap(({ rows }) =>
    [...rows.events.values()]
      .filter((row) => row.transferId === id)
      .map((row) => readEnvelope(row.envelope)),
  );
}

function movesOf(state: State, ids: readonly TransferId[], options: ModelOptions): Move[] {
  return ids.flatMap((id) => {
    const events = eventsOf(state, id);
    return [
      ...events.filter(isActionable).flatMap((event) => deliveriesOf(state, event, options)),
      ...repairsOf(state, id, events),
    ];
  });
}

function deliveriesOf(state: State, event: Envelope, options: ModelOptions): Move[] {
  const run: Move['run'] = async (shards) => {
    const store = storeOf(shards, actingSlot(event));
    const continuesOn = (slot: number): boolean => storeOf(shards, slot) === store;
    const results = await applySteps(options.through?.(store) ?? store, [event], {
      holdTimeoutMs: 1,
      actor: 'saga',
      ...(options.isChaining ? { continuesOn } : {}),
    });
    return results.flatMap((result) =>
      result.kind === 'alarm' ? [`alarm ${result.alarm} at ${event.type}`] : [],
    );
  };
  const moves: Move[] = [];
  const delivered = state.deliveries.get(event.id) ?? 0;
  if (delivered < (options.deliveriesMax ?? DELIVERIES_MAX)) {
    moves.push({ name: `${event.type} arrives`, run, delivers: event.id });
  }
  // Killed between the commit and the offset: the step is taken and the message comes again.
  if (!state.spent.has('crash')) {
    moves.push({ name: `${event.type} arrives, crash`, run, spends: 'crash' });
  }
  return moves;
}

function repairsOf({ spent }: State, id: TransferId, events: readonly Envelope[]): Move[] {
  const find = (type: Envelope['type']): Envelope | undefined =>
    events.find((event) => event.type === type);
  const voids = (cause: Envelope, reason: 'hold_expired' | 'cancelled_by_client'): Move['run'] => {
    return async (shards) => {
      const store = storeOf(shards, cause.destinationSlot);
      await voidTransfers(store, [{ cause, reason, actor: 'model' }]);
      return [];
    };
  };
  const moves: Move[] = [];
  const requested = find('requested');
  const held = find('held');
  if (requested && !spent.has(`cancel ${id}`)) {
    const run = voids(requested, 'cancelled_by_client');
    moves.push({ name: 'cancel', run, spends: `cancel ${id}` });
  }
  if (spent.has(`timeout ${id}`)) return moves;
  // A sweep acts on what it read: the transfer may have moved on since, in every way.
  if (held) {
    moves.push({ name: 'expiry', run: voids(held, 'hold_expired'), spends: `timeout ${id}` });
  }
  if (requested) {
    const run: Move['run'] = async (shards) => {
      await expireRequested(storeOf(shards, requested.sourceSlot), [requested], 'model');
      return [];
    };
    moves.push({ name: 'not taken up', run, spends: `timeout ${id}` });
  }
  return moves;
}

async function after(state: State, move: Move, violations: string[]): Promise<State> {
  const shards = state.shards.map(copyOf);
  const path = `${state.path} > ${move.name}`;
  try {
    for (const alarm of await move.run(shards)) violations.push(`${alarm} after${path}`);
  } catch (error) {
    violations.push(`${String(error)} after${path}`);
  }
  const deliveries = new Map(state.deliveries);
  if (move.delivers) deliveries.set(move.delivers, (deliveries.get(move.delivers) ?? 0) + 1);
  const spent = move.spends ? new Set([...state.spent, move.spends]) : state.spent;
  return { shards, deliveries, spent, path };
}

function faultsOf(state: State, ids: readonly TransferId[], ends: Set<string>): string[] {
  const all = state.shards.map(({ rows }) => rows);
  const wrong = [
    ...all.flatMap((rows) => brokenPromises(rows)),
    ...ids.flatMap((id) => illegalHistory(id, all)),
  ];
  const statuses = ids.flatMap((id) =>
    all.flatMap(({ transfers }) => transfers.get(id)?.state ?? []),
  );
  if (statuses.every(isEnded)) {
    ends.add([...statuses].sort().join('+'));
    const transit = [...transitSums(all).values()].filter((sum) => sum !== 0n);
    if (transit.length > 0) wrong.push(`at rest with ${String(transit[0])} in transit`);
  } else if (isDelivered(state, ids)) {
    wrong.push('everything has arrived and something has not ended');
  }
  return wrong.map((what) => `${what} after${state.path}`);
}

/** Every order that was given has been taken up at least once. */
function isDelivered(state: State, ids: readonly TransferId[]): boolean {
  return ids
    .flatMap((id) => eventsOf(state, id))
    .filter(isActionable)
    .every((event) => (state.deliveries.get(event.id) ?? 0) > 0);
}

function copyOf(store: MemoryShardStore): MemoryShardStore {
  const copy = new MemoryShardStore(store.shard, () => NOW_MS);
  const { rows } = store;
  for (const name of ['keys', 'transfers', 'decisions', 'accounts', 'holds', 'events'] as const) {
    const target = copy.rows[name] as Map<string, unknown>;
    for (const [key, row] of rows[name]) target.set(key, row);
  }
  for (const id of rows.openTransfers) copy.rows.openTransfers.add(id);
  copy.rows.legs.push(...rows.legs);
  return copy;
}

/** Two states are the same where the same can happen next and the same is true. */
function digest({ shards, deliveries, spent }: State): string {
  const rows = shards.map(({ rows: { events, accounts, holds } }) => [
    Array.from(events, ([key, event]) => `${key} ${event.type}`).sort(),
    Array.from(accounts.values(), ({ id, balance, held }) => `${id} ${balance} ${held}`).sort(),
    [...holds.keys()].sort(),
  ]);
  const counts = Array.from(deliveries, ([id, count]) => `${id} ${count}`).sort();
  return JSON.stringify([rows, counts, [...spent].sort()]);
}
