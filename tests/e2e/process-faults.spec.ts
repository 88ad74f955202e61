import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { evenSlotMap, partitionOfSlot, shardOfSlot, slotOfAccount } from '@surety/domain';
import { PARTITIONS_DEFAULT } from '@surety/runtime';
import {
  PROCESS_NAMES,
  SuretySystem,
  eventually,
  inParallel,
  localPortsOf,
} from '@surety/testing/system';
import type { SuretyClient, SuretyProcess } from '@surety/testing/system';
import { Chance } from './chance.js';
import { replayHistory } from './history.js';
import { ShardTables, withShards } from './shard-tables.js';

const ACCOUNTS = 60;
/** One account of each Kafka partition's range of slots. */
const probes = Array.from({ length: PARTITIONS_DEFAULT }, (_, partition) => {
  const ids = Array.from({ length: 2_000 }, (_unused, n) => `PROBE-${n}`);
  const isHere = (id: string): boolean =>
    partitionOfSlot(slotOfAccount(id), PARTITIONS_DEFAULT) === partition;
  return ids.find(isHere) as string;
});
const accounts = Array.from({ length: ACCOUNTS }, (_, n) => `FAULT-${n}`);
/**
 * The promise after a kill. Counted beyond what the same round takes without a fault, twice over, so
 * that a machine that is busy with other things is allowed its own slowness.
 */
const GO_ON_WITHIN_MS = 10_000;
const CALM_ROUND_WITHIN_MS = 60_000;
/**
 * After a freeze: wait_timeout (10 s) frees the locks of the frozen process, the group gives its
 * partitions away after 4 s of silence, and the others take over.
 */
const GO_ON_AFTER_FREEZE_WITHIN_MS = 20_000;
const DRAINED_WITHIN_MS = 120_000;
const SERIAL_KILLS = 3;
const FREEZE_ATTEMPTS_MAX = 20;
/** InnoDB renews the list of its transactions only where nobody has read it for 100 ms. */
const LOOK_EVERY_MS = 150;
const IDLE_WITH_LOCKS = "t.trx_rows_locked > 0 AND p.command = 'Sleep'";

/** A steady stream of transfers; it keeps every answer it got and repeats what got none. */
class Load {
  readonly acknowledged = new Map<string, string>();
  readonly #client: SuretyClient;
  readonly #chance: Chance;
  readonly #lanes: Promise<void>[] = [];
  #isRunning = true;
  #sent = 0;

  constructor(client: SuretyClient, chance: Chance, concurrency: number) {
    this.#client = client;
    this.#chance = chance;
    for (let lane = 0; lane < concurrency; lane += 1) this.#lanes.push(this.#lane());
  }

  async finish(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#lanes);
  }

  async #lane(): Promise<void> {
    while (this.#isRunning) {
      this.#sent += 1;
      await this.#submit(`fault-${this.#sent}`);
    }
  }

  async #submit(key: string): Promise<void> {
    const source = this.#chance.below(ACCOUNTS);
    const wish = {
      sourceAccount: accounts[source] as string,
      destinationAccount: accounts[
        (source + 1 + this.#chance.below(ACCOUNTS - 1)) % ACCOUNTS
      ] as string,
      amount: `${1 + this.#chance.below(20)}.00`,
      currency: 'EUR',
    };
    await eventually(
      `an answer for ${key}`,
      async () => {
        const answer = await this.#client.submit(wish, key);
        if (answer.status !== 202) return undefined;
        this.acknowledged.set(key, answer.body.transactionId);
        return true;
      },
      { withinMs: 90_000, everyMs: 200 },
    );
  }
}

describe('processes that die or freeze under load', () => {
  let system: SuretySystem;
  let load: Load;
  let shards: readonly ShardTables[];
  const seed = Number(process.env['SURETY_TEST_SEED'] ?? Date.now() % 1_000_000);

  beforeAll(async () => {
    system = await SuretySystem.start({
      environment: {
        HOLD_TIMEOUT: '60s',
        SURETY_STALL_TIMEOUT: '5s',
        SURETY_RECONCILE_INTERVAL: '1s',
      },
    });
    shards = await Promise.all(system.shardUrls.map((url) => ShardTables.open(url)));
    const { client } = system;
    await inParallel([...accounts, ...probes], 16, async (id) => {
      await client.openAccount(id);
      await client.deposit(id, '10000.00', `open-${id}`);
    });
    load = new Load(client, new Chance(seed), 8);
  });

  afterAll(async () => {
    await Promise.all(shards.map((shard) => shard.close()));
    await system.stop();
  });

  /** How long a round takes without a fault, measured anew before each. */
  let calmMs = 0;
  const boundMs = (promiseMs = GO_ON_WITHIN_MS): number => promiseMs + 2 * calmMs;

  beforeEach(async () => {
    calmMs = await flowsAgain(Date.now(), CALM_ROUND_WITHIN_MS);
  });

  /** Whether the read model has the end, too. */
  async function isProjected(source: string, id: string): Promise<boolean> {
    const shard = shards[shardOfSlot(evenSlotMap(shards.length), slotOfAccount(source))];
    const sql = 'SELECT status FROM transaction_status WHERE transfer_id = UNHEX(?)';
    const rows = await (shard as ShardTables).rows(sql, [id.replaceAll('-', '')]);
    return rows[0]?.['status'] === 'committed';
  }

  /**
   * New transfers from an account of every partition, each to the next one's, run to their ends:
   * nothing is left that a dead or frozen process keeps from going on.
   * @returns milliseconds since `sinceMs`
   */
  async function flowsAgain(sinceMs: number, withinMs = boundMs()): Promise<number> {
    const { client } = system;
    await inParallel(probes, probes.length, (sourceAccount, n) =>
      eventually(
        `a transfer from ${sourceAccount} that runs to its end`,
        async () => {
          const destinationAccount = probes[(n + 1) % probes.length] as string;
          const wish = { sourceAccount, destinationAccount, amount: '0.01', currency: 'EUR' };
          const { status, body } = await client.submit(wish, `flow-${sinceMs}-${n}`);
          if (status !== 202) return undefined;
          const end = await client.transfer(body.transactionId, '2s');
          if (end.body.status !== 'committed') return undefined;
          return (await isProjected(sourceAccount, body.transactionId)) ? true : undefined;
        },
        { withinMs: withinMs - (Date.now() - sinceMs) },
      ),
    );
    return Date.now() - sinceMs;
  }

  it.each([...PROCESS_NAMES])(
    '%s: killed, it is back and transfers go on (kill -9)',
    async (name) => {
      const starts = system.process(name).starts;
      const killedAt = Date.now();
      system.process(name).kill();
      const tookMs = await flowsAgain(killedAt);
      process.stderr.write(
        `\n${name} killed: transfers of every partition ended after ${tookMs} ms (calm: ${calmMs})\n`,
      );
      // What goes on without the process does not wait for it: it may be back a little later.
      const isStarted = () => (system.process(name).starts === starts + 1 ? true : undefined);
      await eventually(`${name} is started again`, isStarted, { withinMs: 10_000 });
      await system.process(name).ready();
    },
  );

  /** Kills a process again as soon as it is there again, while its group has not settled yet. */
  async function killInSeries(target: SuretyProcess): Promise<number> {
    let killedAt = 0;
    for (let kill = 1; kill <= SERIAL_KILLS; kill += 1) {
      const { starts } = target;
      killedAt = Date.now();
      target.kill();
      const isBack = (): true | undefined => (target.starts > starts ? true : undefined);
      await eventually('the next start', isBack, { withinMs: 10_000, everyMs: 20 });
      // The next one comes while it starts, then while it joins: this is the fault, not a wait.
      if (kill < SERIAL_KILLS) await delay(kill * 700);
    }
    return killedAt;
  }

  it.each(['workers', 'projector'] as const)(
    '%s: killed again and again while the group settles, alone and beside another one',
    async (name) => {
      const aloneMs = await flowsAgain(await killInSeries(system.process(name)));
      const another = await system.startAnother(name, { SURETY_INSTANCE: `${name}-2` });
      const [first, second] = await Promise.all([
        killInSeries(system.process(name)),
        killInSeries(another),
      ]);
      const bothMs = await flowsAgain(Math.max(first, second));
      process.stderr.write(
        `\n${name} killed ${SERIAL_KILLS} times: after the last kill ${aloneMs} ms alone, ` +
          `${bothMs} ms with two killed together (calm: ${calmMs})\n`,
      );
      await another.stop();
      await flowsAgain(Date.now());
    },
  );

  it('workers frozen in the middle of a transaction lose it, and the others go on', async () => {
    const another = await system.startAnother('workers', { SURETY_INSTANCE: 'workers-2' });
    await withShards(system.adminUrls, async ([server]) => {
      const frozen = system.process('workers');
      await freezeInTransaction({ system, server: server as ShardTables }, frozen);
      const frozenAt = Date.now();
      try {
        const tookMs = await flowsAgain(frozenAt, boundMs(GO_ON_AFTER_FREEZE_WITHIN_MS));
        process.stderr.write(`\nworkers frozen: the others went on after ${tookMs} ms\n`);
        await eventually(
          'the end of every transaction of the frozen process',
          async () => {
            const open = await transactionsOf(server as ShardTables, frozen, 'TRUE');
            return open === 0 ? true : undefined;
          },
          { withinMs: 40_000, everyMs: 500 },
        );
      } finally {
        frozen.resume();
      }
    });
    await flowsAgain(Date.now());
    await another.stop();
    await flowsAgain(Date.now());
  });

  it('nothing acknowledged is lost, nothing happened twice, `surety check` is clean', async () => {
    await load.finish();
    await system.drained(DRAINED_WITHIN_MS);
    const { client } = system;
    const ids = [...load.acknowledged.values()];
    expect(new Set(ids).size).toBe(ids.length);
    const ends = await inParallel(ids, 32, async (id) => (await client.transfer(id)).body.status);
    expect(new Set(ends)).toEqual(new Set(['committed']));
    const history = await replayHistory(system.shardUrls);
    expect(history.faults).toEqual([]);
    const { exitCode, stdout } = await system.surety('check', '--full');
    expect({ exitCode, output: exitCode === 0 ? '' : stdout }).toEqual({ exitCode: 0, output: '' });
    process.stderr.write(`\n${ids.length} transfers through the faults (seed ${seed})\n`);
  });
});

/**
 * Makes the process wait for a lock in the middle of a transaction, stops it there and lets go of the
 * lock: its transaction then has what it waited for, and nobody who would ever end it.
 */
async function freezeInTransaction(
  { system, server }: { system: SuretySystem; server: ShardTables },
  target: SuretyProcess,
): Promise<void> {
  await withShards(system.shardUrls, async (shards) => {
    for (let attempt = 0; attempt < FREEZE_ATTEMPTS_MAX; attempt += 1) {
      for (const shard of shards) {
        await shard.rows('START TRANSACTION');
        await shard.rows('SELECT id FROM accounts WHERE id IN (?) FOR UPDATE', [accounts]);
      }
      const isWaiting = async (): Promise<true | undefined> =>
        (await transactionsOf(server, target, "t.trx_state = 'LOCK WAIT'")) > 0 ? true : undefined;
      const patience = { withinMs: 2_000, everyMs: LOOK_EVERY_MS };
      const waits = await eventually('a wait for a lock', isWaiting, patience).catch(() => false);
      target.pause();
      await delay(LOOK_EVERY_MS);
      const isCaught = waits && (await isWaiting()) === true;
      for (const shard of shards) await shard.rows('ROLLBACK');
      if (isCaught && (await holdsIdleLocks(server, target))) return;
      target.resume();
    }
    throw new Error(`${target.name} was never caught in a transaction`);
  });
}

function holdsIdleLocks(server: ShardTables, target: SuretyProcess): Promise<boolean> {
  return eventually(
    'an idle transaction with locks',
    async () => ((await transactionsOf(server, target, IDLE_WITH_LOCKS)) > 0 ? true : undefined),
    { withinMs: 1_000, everyMs: LOOK_EVERY_MS },
  ).catch(() => false);
}

/** How many transactions of the process's connections are in this condition. */
async function transactionsOf(
  server: ShardTables,
  target: SuretyProcess,
  condition: string,
): Promise<number> {
  const ports = localPortsOf(target.pid as number);
  if (ports.length === 0) return 0;
  const sql =
    'SELECT COUNT(*) AS n FROM information_schema.innodb_trx t ' +
    'JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id ' +
    `WHERE ${condition} AND SUBSTRING_INDEX(p.host, ':', -1) IN (?)`;
  const [row] = await server.rows(sql, [ports.map(String)]);
  return Number(row?.['n']);
}
