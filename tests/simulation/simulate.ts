import { createHash } from 'node:crypto';
import type { AccountId } from '@surety/domain';
import { fundAccounts, openAccounts } from '@surety/saga';
import { aDeposit, anOpening, eur } from '@surety/testing';
import { SimulatedProcess } from '@surety/testing/simulation';
import type { Life } from '@surety/testing/simulation';
import { client } from './client-process.js';
import { ingress } from './ingress-process.js';
import { drawIntents } from './intents.js';
import { projector } from './projector-process.js';
import { reconciler } from './reconciler-process.js';
import { relay } from './relay-process.js';
import { calm, scheduleFaults } from './strikes.js';
import { worker } from './worker-process.js';
import { CLIENTS, World } from './world.js';
import type { TraceLine, Violation, WorldOptions } from './world.js';

/** Virtual time for everything to end once the faults have stopped. */
export const LIVENESS_BOUND_MS = 180_000;
const OPENING_BALANCE = 1_000;
const ACCOUNTS = 8;
const FAULTS_LAST_MS = { least: 15_000, most: 40_000 };
const CLOCK_ORIGIN_MS = 1_000_000;

export interface SimulationResult {
  readonly options: WorldOptions;
  readonly transfers: number;
  readonly commits: number;
  readonly happened: number;
  /** From the end of the faults until everything was at rest, in virtual time. */
  readonly restMs: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly violations: readonly Violation[];
  readonly trace: readonly TraceLine[];
}

/** One whole history out of one seed: set up, run under faults, come to rest, replay everything. */
export async function simulate(options: WorldOptions): Promise<SimulationResult> {
  const world = new World(options);
  const { scheduler, kernel, violations, random } = world;
  kernel.faults.isOn = false;
  const accounts = await open(world);
  const { nowMs } = scheduler;
  world.intents.push(...drawIntents(random, { count: options.transfers, accounts, nowMs }));
  startProcesses(world);
  kernel.faults.isOn = true;
  scheduleFaults(world, accounts);
  const isBroken = (): boolean => violations.length > 0;
  const lastMs = random.between(FAULTS_LAST_MS.least, FAULTS_LAST_MS.most);
  await scheduler.runUntil(isBroken, scheduler.nowMs + lastMs);
  calm(world, accounts);
  const calmAtMs = scheduler.nowMs;
  const isAtRest = await comesToRest(world);
  const restMs = scheduler.nowMs - calmAtMs;
  if (isAtRest) {
    world.checks.atRest();
    if (!isBroken()) await replay(world);
  } else if (!isBroken()) {
    world.checks.liveness();
  }
  return {
    options,
    // Without the deposits of the set-up.
    transfers: world.transferCount - ACCOUNTS,
    commits: world.commits,
    happened: scheduler.happened,
    restMs,
    faults: kernel.faults.counts,
    violations,
    trace: world.trace,
  };
}

/** Two histories with the same digest are the same history. */
export function digestOf({ trace, commits, happened }: SimulationResult): string {
  return createHash('sha256')
    .update(JSON.stringify([trace, commits, happened]))
    .digest('hex');
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
    const maps = world.slotMaps(life);
    for (const [n, id] of accounts.entries()) {
      const store = world.shardOfAccount(id).storeFor(life, maps);
      await openAccounts(store, [anOpening(id)]);
      await fundAccounts(store, [aDeposit(id, eur(OPENING_BALANCE), 100_000 + n)]);
    }
    isOpen = true;
  });
  setUp.start();
  await world.scheduler.runUntil(() => isOpen, world.scheduler.nowMs + 60_000);
  return accounts;
}

/** Two of everything, all the time. */
function startProcesses(world: World): void {
  const { kernel, random } = world;
  const begin = (name: string, main: (life: Life) => Promise<void>): void => {
    const originMs = random.between(0, CLOCK_ORIGIN_MS);
    const process = new SimulatedProcess(kernel, name, main, originMs);
    world.processes.push(process);
    process.start();
  };
  for (const twin of ['a', 'b']) {
    begin(`ingress-${twin}`, ingress(world));
    begin(`relay-${twin}`, relay(world));
    begin(`worker-${twin}`, worker(world, random.chance(0.5)));
    begin(`projector-${twin}`, projector(world));
    begin(`reconciler-${twin}`, reconciler(world));
  }
  for (let n = 0; n < CLIENTS; n += 1) {
    const own = world.intents.filter((_, at) => at % CLIENTS === n);
    begin(`client-${n}`, client(world, own));
  }
}

/** Everything that was ever sent comes once more: nothing may change. */
async function replay(world: World): Promise<void> {
  const before = replayedRows(world);
  for (const key of world.log.keys) {
    world.log.rewind(world.workers.name, key);
    world.log.rewind(world.projectors.name, key);
  }
  if (!(await comesToRest(world))) {
    if (world.violations.length === 0) world.checks.liveness();
    return;
  }
  world.checks.atRest();
  if (replayedRows(world) !== before) world.broken('a replay of everything changed something');
}

/** Every row that a message could change, as text. */
function replayedRows({ shards, balances, statuses }: World): string {
  const all = shards.map(({ rows, outbox }) => [
    [...rows.transfers, ...rows.decisions, ...rows.accounts, ...rows.holds, ...rows.events],
    [...rows.openTransfers, ...rows.legs, ...outbox.values()],
  ]);
  const told = [all, [...balances.values()], [...statuses.values()]];
  return JSON.stringify(told, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
