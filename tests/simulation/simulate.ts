import { slotOfAccount } from '@surety/domain';
import type { AccountId } from '@surety/domain';
import { fundAccounts, openAccounts } from '@surety/saga';
import { aDeposit, eur } from '@surety/testing';
import { SimulatedProcess } from '@surety/testing/simulation';
import type { Life } from '@surety/testing/simulation';
import { client, projector, reconciler, relay, worker } from './processes.js';
import { CLIENTS, PROJECTOR, WORKERS, World } from './world.js';
import type { TraceLine, Violation, WorldOptions } from './world.js';

/** Virtual time for everything to end once the faults have stopped. */
export const LIVENESS_BOUND_MS = 120_000;
const OPENING_BALANCE = 1_000;
const ACCOUNTS = 8;
/** How far a database's clock is moved at most, either way. */
const MOVE_MS = 5_000;
const CLOCK_ORIGIN_MS = 1_000_000;

export interface SimulationResult {
  readonly options: WorldOptions;
  readonly transfers: number;
  readonly commits: number;
  readonly happened: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly violations: readonly Violation[];
  readonly trace: readonly TraceLine[];
}

/** One whole history out of one seed: set up, run under faults, come to rest, replay everything. */
export async function simulate(options: WorldOptions): Promise<SimulationResult> {
  const world = new World(options);
  const { scheduler, kernel, violations } = world;
  kernel.faults.isOn = false;
  const accounts = await open(world);
  intend(world, accounts);
  startProcesses(world);
  kernel.faults.isOn = true;
  scheduleFaults(world, accounts);
  const isBroken = (): boolean => violations.length > 0;
  await scheduler.runUntil(isBroken, scheduler.nowMs + world.random.between(15_000, 40_000));
  calm(world, accounts);
  if (await comesToRest(world)) {
    world.checkEnd();
    if (!isBroken()) await replay(world);
  } else {
    world.checkLiveness();
  }
  return {
    options,
    // Without the deposits of the set-up.
    transfers: world.transferCount - ACCOUNTS,
    commits: world.commits,
    happened: scheduler.happened,
    faults: kernel.faults.counts,
    violations,
    trace: world.trace,
  };
}

async function comesToRest(world: World): Promise<boolean> {
  const { scheduler } = world;
  let looks = 0;
  // To look at everything after each step would cost more than the steps.
  const isQuiet = (): boolean => {
    looks += 1;
    return (looks % 8 === 0 || world.violations.length > 0) && world.isQuiet();
  };
  const isQuietInTime = await scheduler.runUntil(isQuiet, scheduler.nowMs + LIVENESS_BOUND_MS);
  return isQuietInTime && world.violations.length === 0;
}

async function open(world: World): Promise<AccountId[]> {
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => `account-${n}`);
  let isOpen = false;
  const setUp = new SimulatedProcess(world.kernel, 'setup', async (life) => {
    for (const [n, id] of accounts.entries()) {
      const store = world.shardOf(slotOfAccount(id)).storeFor(life);
      const rest = { type: 'customer', owner: null, overdraftLimit: 0n, metadata: null } as const;
      await openAccounts(store, [{ id, tenant: 'default', currency: 'EUR', ...rest }]);
      await fundAccounts(store, [aDeposit(id, eur(OPENING_BALANCE), 100_000 + n)]);
    }
    isOpen = true;
  });
  setUp.start();
  await world.scheduler.runUntil(() => isOpen, world.scheduler.nowMs + 60_000);
  return accounts;
}

function intend(world: World, accounts: readonly AccountId[]): void {
  const { random, scheduler } = world;
  const sources = accounts.slice(0, random.between(1, accounts.length));
  for (let n = 1; n <= world.options.transfers; n += 1) {
    const source = random.pick(sources);
    const others = [...accounts.filter((id) => id !== source), 'nobody'];
    world.intents.push({
      n,
      kind: random.chance(0.05) ? 'deposit' : 'transfer',
      source,
      destination: random.pick(others),
      minor: random.between(1, OPENING_BALANCE / 2),
      afterMs: scheduler.nowMs + random.between(0, 12_000),
      isCancelled: random.chance(0.2),
      tried: new Set(),
      acknowledged: undefined,
    });
  }
  world.intents.sort((one, other) => one.afterMs - other.afterMs);
}

/** Two of everything, all the time. */
function startProcesses(world: World): void {
  const { kernel, random } = world;
  const begin = (name: string, main: (life: Life) => Promise<void>): void => {
    const process = new SimulatedProcess(kernel, name, main);
    process.skewMs = random.between(0, CLOCK_ORIGIN_MS);
    world.processes.push(process);
    process.start();
  };
  for (let n = 0; n < CLIENTS; n += 1) {
    const own = world.intents.filter((_, at) => at % CLIENTS === n);
    begin(`client-${n}`, client(world, own));
  }
  for (const twin of ['a', 'b']) {
    begin(`worker-${twin}`, worker(world, random.chance(0.5)));
    begin(`projector-${twin}`, projector(world));
    for (const shard of world.shards) {
      begin(`relay-${shard.id}${twin}`, relay(world, shard));
      begin(`reconciler-${shard.id}${twin}`, reconciler(world, shard));
    }
  }
}

/** Faults that strike from outside, at any moment. */
function scheduleFaults(world: World, accounts: readonly AccountId[]): void {
  const { kernel, random, scheduler, log } = world;
  const { faults } = kernel;
  const anyPartition = (): string | undefined => {
    const keys = [...log.partitions.keys()];
    return keys.length > 0 ? random.pick(keys) : undefined;
  };
  const onPartition = (strike: (key: string) => void) => (): void => {
    const key = anyPartition();
    if (key) strike(key);
  };
  const strikes: readonly (readonly [string, () => void])[] = [
    [
      'shard_away',
      () => (random.pick(world.shards).awayUntilMs = scheduler.nowMs + random.between(500, 15_000)),
    ],
    ['clock_moved', () => (random.pick(world.shards).skewMs = random.between(-MOVE_MS, MOVE_MS))],
    ['process_killed', () => random.pick(world.processes).crash()],
    ['process_paused', () => random.pick(world.processes).pause()],
    [
      'held_back',
      onPartition((key) =>
        log.holdBack(WORKERS, key, scheduler.nowMs + random.between(1_000, 20_000)),
      ),
    ],
    ['read_again', onPartition((key) => log.rewind(random.pick([WORKERS, PROJECTOR]), key))],
    ['messages_lost', onPartition((key) => log.skip(WORKERS, key))],
    [
      'account_status',
      () => setStatus(world, random.pick(accounts), random.pick(['open', 'frozen', 'closed'])),
    ],
  ];
  const next = (): void => {
    scheduler.after(random.between(200, 3_000), () => {
      if (!faults.isOn) return;
      const [kind, strike] = random.pick(strikes);
      faults.count(kind);
      kernel.note('chaos', kind);
      strike();
      next();
    });
  };
  next();
  if (world.has('decision_deleted_and_hold_replayed')) forgetDecisions(world);
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
    for (const key of world.log.partitions.keys()) world.log.rewind(WORKERS, key);
  });
}

function setStatus(world: World, id: AccountId, status: 'open' | 'frozen' | 'closed'): void {
  const { accounts } = world.shardOf(slotOfAccount(id)).rows;
  const account = accounts.get(id);
  if (account) accounts.set(id, { ...account, status });
}

/** From here on nothing new goes wrong, and what was away is back. */
function calm(world: World, accounts: readonly AccountId[]): void {
  world.kernel.faults.isOn = false;
  world.kernel.note('chaos', 'the faults stop');
  for (const shard of world.shards) shard.awayUntilMs = Number.NEGATIVE_INFINITY;
  for (const id of accounts) setStatus(world, id, 'open');
}

/** Everything that was ever sent comes once more: nothing may change. */
async function replay(world: World): Promise<void> {
  const digest = (): string =>
    JSON.stringify(
      world.shards.map(({ rows }) => [
        rows.events.size,
        rows.legs.length,
        Array.from(rows.accounts.values(), (account) => `${account.id} ${account.version}`),
      ]),
    );
  const before = digest();
  for (const key of world.log.partitions.keys()) {
    world.log.rewind(WORKERS, key);
    world.log.rewind(PROJECTOR, key);
  }
  if (!(await comesToRest(world))) world.checkLiveness();
  world.checkEnd();
  if (digest() !== before) world.broken('a replay of everything changed something');
}
