import { SLOT_COUNT, slotOfAccount } from '@surety/domain';
import type { AccountId } from '@surety/domain';
import { moveSlots } from '@surety/testing/simulation';
import type { World } from './world.js';

/** How far a database's clock is moved at most, either way. */
const MOVE_MS = 5_000;
/** How much slower or faster a process's clock runs. */
const RATES = [0.5, 0.8, 1, 1.25, 2];
const EVERY_MS = { least: 200, most: 3_000 };
/** After which the shards that are not part of a move hear of it. */
const SPREAD_MS = { least: 0, most: 3_000 };
const SLOTS_MOVED_MAX = 1_024;

type Strike = (world: World, accounts: readonly AccountId[]) => void;

function later(world: World, least: number, most: number): number {
  return world.scheduler.nowMs + world.random.between(least, most);
}

function onPartition(strike: (world: World, key: string) => void): Strike {
  return (world) => {
    const { keys } = world.log;
    if (keys.length > 0) strike(world, world.random.pick(keys));
  };
}

/** Faults that come from outside, at any moment. */
const STRIKES: readonly (readonly [string, Strike])[] = [
  [
    'shard_away',
    (world) => (world.random.pick(world.shards).awayUntilMs = later(world, 500, 15_000)),
  ],
  [
    'shard_cut_off',
    (world) => {
      const { name } = world.random.pick(world.processes);
      world.random.pick(world.shards).cutOffUntilMs.set(name, later(world, 500, 15_000));
    },
  ],
  [
    'database_clock_moved',
    (world) => (world.random.pick(world.shards).skewMs = world.random.between(-MOVE_MS, MOVE_MS)),
  ],
  [
    'process_clock_skewed',
    (world) => {
      world.random.pick(world.processes).runAt(world.random.pick(RATES));
    },
  ],
  [
    'process_killed',
    (world) => {
      world.random.pick(world.processes).crash();
    },
  ],
  [
    'process_paused',
    (world) => {
      world.random.pick(world.processes).pause();
    },
  ],
  [
    'held_back',
    onPartition((world, key) => {
      world.log.holdBack(world.workers.name, key, later(world, 1_000, 20_000));
    }),
  ],
  [
    'read_again',
    onPartition((world, key) => {
      world.log.rewind(world.random.pick([world.workers, world.projectors]).name, key);
    }),
  ],
  [
    'messages_lost',
    onPartition((world, key) => {
      world.log.skip(world.workers.name, key);
    }),
  ],
  [
    'partition_moved',
    onPartition((world, key) => {
      world.random.pick([world.workers, world.projectors]).moveOwner(key);
    }),
  ],
  ['slots_moved', strikeSlots],
  [
    'account_status',
    (world, accounts) => {
      const { random } = world;
      setStatus(world, random.pick(accounts), random.pick(['open', 'frozen', 'closed']));
    },
  ],
];

export function scheduleFaults(world: World, accounts: readonly AccountId[]): void {
  const { kernel, random, scheduler } = world;
  const { faults } = kernel;
  const next = (): void => {
    scheduler.after(random.between(EVERY_MS.least, EVERY_MS.most), () => {
      if (!faults.isOn) return;
      const [kind, strike] = random.pick(STRIKES);
      if (kind !== 'slots_moved') faults.count(kind);
      kernel.note('chaos', kind);
      strike(world, accounts);
      next();
    });
  };
  next();
  if (world.has('decision_deleted_and_hold_replayed')) forgetDecisions(world);
}

/** The slots around an account go to another shard; work that is under way was routed before. */
function strikeSlots(world: World, accounts: readonly AccountId[]): void {
  const { random, scheduler, kernel, shards, map } = world;
  const isSettled = shards.every((shard) => shard.map.epoch === map.epoch);
  const slot = slotOfAccount(random.pick(accounts));
  const from = world.shardOf(slot);
  const others = shards.filter((shard) => shard !== from);
  if (!isSettled || others.length === 0) return;
  const slots = { from: slot, to: slot };
  const least = Math.max(0, slot - random.below(SLOTS_MOVED_MAX));
  const most = Math.min(SLOT_COUNT - 1, slot + random.below(SLOTS_MOVED_MAX));
  while (slots.from > least && world.shardOf(slots.from - 1) === from) slots.from -= 1;
  while (slots.to < most && world.shardOf(slots.to + 1) === from) slots.to += 1;
  const to = random.pick(others);
  const next = moveSlots({ slots, from, to }, map);
  Object.assign(world, { map: next });
  kernel.faults.count('slots_moved');
  kernel.note('chaos', `slots ${slots.from} to ${slots.to} go to shard ${to.id}: ${next.epoch}`);
  for (const shard of shards.filter((one) => one !== from && one !== to)) {
    scheduler.after(random.between(SPREAD_MS.least, SPREAD_MS.most), () => {
      shard.place(next);
    });
  }
}

/** A retention that takes decisions of what has ended for history. */
function forgetDecisions(world: World): void {
  const { scheduler, random } = world;
  scheduler.after(random.between(5_000, 10_000), () => {
    for (const { rows } of world.shards) {
      for (const id of [...rows.decisions.keys()]) {
        rows.decisions.delete(id);
        rows.events.delete(`${id}/30`);
      }
    }
    for (const key of world.log.keys) world.log.rewind(world.workers.name, key);
  });
}

function setStatus(world: World, id: AccountId, status: 'open' | 'frozen' | 'closed'): void {
  const { accounts } = world.shardOfAccount(id).rows;
  const account = accounts.get(id);
  if (account) accounts.set(id, { ...account, status });
}

/** From here on nothing new goes wrong, and what was away is back. */
export function calm(world: World, accounts: readonly AccountId[]): void {
  world.kernel.faults.isOn = false;
  world.kernel.note('chaos', 'the faults stop');
  for (const shard of world.shards) {
    shard.awayUntilMs = Number.NEGATIVE_INFINITY;
    shard.cutOffUntilMs.clear();
  }
  for (const process of world.processes) process.runAt(1);
  for (const id of accounts) setStatus(world, id, 'open');
}
