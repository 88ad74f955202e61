import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TOPIC_NAMES, decodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import {
  PRIVILEGES,
  ROLES,
  acquireLease,
  advanceOutbox,
  checkedInSchema,
  deleteOutbox,
  dumpSchema,
  findTransfer,
  grantStatements,
  insertDeadLetter,
  migrateShards,
  openShards,
  outboxDepth,
  releaseLease,
  renewLease,
  writeSweepPositions,
} from '@surety/db';
import type { Role, Shard, ShardPools } from '@surety/db';
import { shardOfSlot } from '@surety/domain';
import { readConfig, start as startIngress } from '@surety/ingress';
import type { RunningIngress } from '@surety/ingress';
import { rebuildProjections } from '@surety/projector';
import { runCli, start as startReconciler } from '@surety/reconciler';
import { StoreError, actingSlot, applySteps, isActionable } from '@surety/saga';
import { anAccountIdOn, until } from '@surety/testing';
import { silentLog, testRedisUrl } from '@surety/testing/servers';
import { createTestShards, testMySqlUrl } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { createConnection } from 'mysql2/promise';
import { createRoleUsers } from './role-users.js';
import type { RoleUsers } from './role-users.js';

const NOBODY_LISTENS = '127.0.0.1:1';
/** The servers' word for a table, and for a column, that a user may not touch in this way. */
const DENIED = [1142, 1143];
const WRITTEN_ONCE = [
  ...['transfer_events', 'decisions', 'ledger_entries'],
  ...['ledger_seals', 'ledger_seal_parts', 'audit_log', 'currencies'],
];
const BECAUSE = ['--reason', 'a spec wants it', '--yes', '--operator', 'spec'];

/** The columns of each table, in their order, as the migrations made them. */
const COLUMNS: ReadonlyMap<string, readonly string[]> = new Map(
  Array.from(
    checkedInSchema().matchAll(/CREATE TABLE (\w+) \(\n([^;]*)\);/g),
    ([, table, body]) => {
      const columns = Array.from(body!.matchAll(/^ {2}([a-z_]+) [A-Z]/gm), ([, column]) => column!);
      return [table!, columns] as const;
    },
  ),
);

const hex = (id: string): string => `0x${id.replaceAll('-', '')}`;

let shards: TestShards;
let users: RoleUsers;
let payer: string;
let payee: string;
/** On the payer's shard. */
let neighbour: string;

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  users = await createRoleUsers(shards.adminUrl, shards.urls);
  const map = shards.pools.slotMaps.current();
  payer = anAccountIdOn(map, 0, 'payer');
  payee = anAccountIdOn(map, 1, 'payee');
  neighbour = anAccountIdOn(map, 0, 'neighbour');
});

afterAll(async () => {
  await users?.drop();
  await shards?.drop();
});

/** Shards as a role sees them; whatever fails there fails for want of a privilege. */
async function as<T>(role: Role, work: (pools: ShardPools) => Promise<T>): Promise<T> {
  const pools = openShards({ urls: users.urls(role), poolSize: 4, partitions: 1 });
  try {
    await pools.ready();
    return await work(pools);
  } finally {
    await pools.close();
  }
}

function schemaOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** By a user who may do anything: what a spec looks up or spoils. */
async function cells(shard: number, sql: string): Promise<readonly unknown[]> {
  const [result] = await shards.pools.shards[shard]!.send([sql]);
  return result?.rows[0] ?? [];
}

async function countOf(shard: number, table: string): Promise<number> {
  return Number((await cells(shard, `SELECT COUNT(*) FROM ${table}`))[0]);
}

async function stateOf(id: string): Promise<string | undefined> {
  return (await findTransfer(shards.pools.shards[0]!, id))?.state;
}

/** What a relay does with a shard: lead it, read on, delete what was acknowledged. */
async function relayed(shard: Shard): Promise<readonly Envelope[]> {
  const request = { name: 'relay', holder: 'spec', ttlMs: 60_000 };
  const lease = await acquireLease(shard, request);
  expect(await renewLease(shard, { ...request, ...lease! })).toBe(true);
  await outboxDepth(shard);
  const { rows } = await advanceOutbox(shard, {
    ...{ acknowledged: [], afterSeq: 0n, limit: 1_000, gaps: [1n, 2n, 3n] },
  });
  const seqs = rows.map(({ seq }) => seq);
  await deleteOutbox(shard, seqs.slice(0, 1));
  await deleteOutbox(shard, seqs.slice(1));
  await releaseLease(shard, { ...request, ...lease! });
  return rows.flatMap(({ payload }) => {
    const decoded = decodeMessage(payload);
    if (decoded.kind !== 'events') throw new Error(`the outbox holds what is ${decoded.kind}`);
    return decoded.events;
  });
}

/** Relay and workers by turns, until nothing is left to be done. */
async function drain(): Promise<void> {
  const shardOf = (slot: number): number => shardOfSlot(shards.pools.slotMaps.current(), slot);
  for (;;) {
    const events = await as('relay', async ({ shards: outboxes }) =>
      (await Promise.all(outboxes.map(relayed))).flat(),
    );
    if (events.length === 0) return;
    await as('workers', async (pools) => {
      for (const { id, store } of pools.shards) {
        const mine = events.filter((one) => isActionable(one) && shardOf(actingSlot(one)) === id);
        const continuesOn = (slot: number): boolean => shardOf(slot) === id;
        const options = { holdTimeoutMs: 3_600_000, actor: 'saga', continuesOn };
        if (mine.length > 0) await applySteps(store, mine, options);
      }
    });
  }
}

describe('under users who may do what their role needs and no more', () => {
  let ingress: RunningIngress;
  let transferIds: string[] = [];

  beforeAll(async () => {
    const config = readConfig({
      SURETY_SHARDS: users.urls('ingress').join(','),
      SURETY_KAFKA_BROKERS: NOBODY_LISTENS,
      SURETY_REDIS_URL: testRedisUrl(),
      PORT: '0',
    });
    ingress = await startIngress(config, { log: silentLog('ingress') });
  });
  afterAll(async () => {
    await ingress?.stop();
  });

  async function call(path: string, body?: object, key?: string): Promise<[number, object]> {
    const response = await fetch(`http://127.0.0.1:${ingress.port}/api/v1${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return [response.status, (await response.json()) as object];
  }

  async function request(amount: string, to: string, key: string): Promise<string> {
    const wish = { sourceAccount: payer, destinationAccount: to, amount, currency: 'EUR' };
    const [status, answer] = await call('/transfers', wish, key);
    expect([status, answer]).toEqual([202, expect.objectContaining({ amount })]);
    return (answer as { transactionId: string }).transactionId;
  }

  /** The command, as an operator runs it. */
  async function surety(...args: string[]): Promise<[number, string]> {
    let text = '';
    const print = (line: string): void => void (text += `${line}\n`);
    const environment = { SURETY_SHARDS: users.urls('operator').join(',') };
    const code = await runCli(args, {
      environment,
      directory: '/nowhere',
      print,
      printError: print,
    });
    return [code, text];
  }

  it('ingress opens, funds, takes transfers in, tells of them and cancels', async () => {
    for (const accountId of [payer, payee, neighbour]) {
      expect((await call('/accounts', { accountId, currency: 'EUR' }))[0]).toBe(201);
    }
    expect([await countOf(0, 'currencies'), await countOf(1, 'currencies')]).toEqual([1, 1]);
    const deposit = { amount: '500.00', direction: 'deposit' };
    expect((await call(`/accounts/${payer}/funding`, deposit, 'fund'))[0]).toBe(201);
    const withdrawal = { amount: '1.00', direction: 'withdrawal' };
    expect((await call(`/accounts/${payer}/funding`, withdrawal, 'draw'))[0]).toBe(201);
    transferIds = [
      await request('10.00', payee, 'remote'),
      await request('20.00', neighbour, 'local'),
      await request('30.00', 'nobody-has-this', 'refused'),
      await request('9999.00', payee, 'too-much'),
    ];
    // The key is known, so its row is looked for and found.
    expect(await request('10.00', payee, 'remote')).toBe(transferIds[0]);
    const again = { sourceAccount: payer, destinationAccount: payee, amount: '1.00' };
    const members = ['remote', 'b-1', 'b-2', 'b-3'].map((idempotencyKey) => {
      return { ...again, currency: 'EUR', idempotencyKey };
    });
    const local = { ...again, destinationAccount: neighbour, idempotencyKey: 'b-4' };
    const batch = { transfers: [...members, local] };
    expect((await call('/transfers/batch', batch))[0]).toBe(200);
    // The steps of a batch are taken with it.
    expect(await countOf(0, 'holds')).toBe(3);
    expect(await cells(0, 'SELECT COUNT(*) FROM decisions')).toEqual(['1']);
    const cancelled = await request('40.00', payee, 'cancelled');
    expect((await call(`/transfers/${cancelled}/cancel`, {}))[0]).toBe(200);
    for (const path of ['', '/balance', '/entries']) {
      expect((await call(`/accounts/${payer}${path}`))[0]).toBe(200);
    }
    for (const path of ['', '/status']) {
      expect((await call(`/transfers/${cancelled}${path}`))[0]).toBe(200);
    }
  });

  it('relay and workers bring every transfer to its end', async () => {
    await drain();
    const ends = await Promise.all(transferIds.map(stateOf));
    expect(ends).toEqual(['committed', 'committed', 'rejected', 'rejected']);
    expect(await countOf(0, 'holds')).toBe(0);
  });

  it('ingress without the grant of this release takes batches, and leaves their steps', async () => {
    const [holds, user] = [`${schemaOf(shards.urls[0]!)}.holds`, users.nameOf('ingress')];
    await users.admin.query(`REVOKE INSERT ON ${holds} FROM '${user}'@'%'`);
    const wish = { sourceAccount: payer, destinationAccount: payee, amount: '1.00' };
    const member = { ...wish, currency: 'EUR', idempotencyKey: 'ungranted' };
    const [status, answer] = await call('/transfers/batch', { transfers: [member] });
    await users.admin.query(`GRANT INSERT ON ${holds} TO '${user}'@'%'`);
    expect([status, answer]).toMatchObject([200, { results: [{ status: 202 }] }]);
    const { results } = answer as { results: [{ transfer: { transactionId: string } }] };
    expect(await stateOf(results[0].transfer.transactionId)).toBe('requested');
    await drain();
  });

  it('ingress cancels a transfer that is held, and releases its hold', async () => {
    const id = await request('5.00', payee, 'held');
    await as('workers', async (pools) => {
      const [events] = await as('relay', (relay) => Promise.all(relay.shards.map(relayed)));
      await applySteps(pools.shards[0]!.store, events!, { holdTimeoutMs: 60_000, actor: 'saga' });
    });
    expect([await stateOf(id), await countOf(0, 'holds')]).toEqual(['held', 1]);
    expect((await call(`/transfers/${id}/cancel`, {}))[0]).toBe(200);
    expect([await stateOf(id), await countOf(0, 'holds')]).toEqual(['cancelled', 0]);
    await drain();
  });

  it('workers and projector bury a message, and bury it again', async () => {
    for (const role of ['workers', 'projector'] as const) {
      const letter = { consumer: role, topic: TOPIC_NAMES[0]!, partition: 0, slot: 1 };
      const rest = { eventId: null, payload: `["${role}"]`, error: 'a spec' };
      await as(role, async ({ shards: [shard] }) => {
        await insertDeadLetter(shard!, { ...letter, ...rest, offset: 1n });
        await insertDeadLetter(shard!, { ...letter, ...rest, offset: 2n });
      });
    }
    expect(await countOf(0, 'dead_letters')).toBe(2);
  });

  it('projector writes its tables, clears them and makes them anew', async () => {
    const rebuild = (): Promise<unknown> =>
      as('projector', (pools) => rebuildProjections(pools.shards, { log: silentLog('projector') }));
    await rebuild();
    await rebuild();
    expect(await countOf(0, 'balances')).toBe(2);
  });

  it('reconciler moves the list, sweeps, checks, seals, patrols and repairs', async () => {
    const expired = await request('6.00', payee, 'expired');
    const lost = await request('7.00', payee, 'lost');
    const forgotten = await request('8.00', payee, 'forgotten');
    const events = (await as('relay', (relay) => Promise.all(relay.shards.map(relayed)))).flat();
    const of = (id: string): Envelope[] => events.filter(({ transferId }) => transferId === id);
    await as('workers', async ({ shards: [source, destination] }) => {
      const options = { holdTimeoutMs: 1, actor: 'saga' };
      await applySteps(source!.store, of(expired), options);
      const [held] = await applySteps(source!.store, of(lost), { ...options, holdTimeoutMs: 9e6 });
      // Kafka loses what the destination says.
      if (held?.kind !== 'applied') throw new Error('nothing was held');
      await applySteps(destination!.store, held.events, options);
    });
    const [source] = shards.pools.shards as [Shard];
    // What others did long ago, or wrongly: a wrong copy, and a key that has lived its time.
    await source.send([
      `UPDATE balances SET held = held + 1, version = version + 1 WHERE account_id = '${neighbour}'`,
      'INSERT INTO idempotency_keys (slot, key_hash, fingerprint, created_at, expires_at) ' +
        "VALUES (7, REPEAT('k', 32), '', NOW(6), NOW(6))",
    ]);
    const running = await startReconciler({
      SURETY_SHARDS: users.urls('reconciler').join(','),
      SURETY_KAFKA_BROKERS: NOBODY_LISTENS,
      SURETY_REDIS_URL: `redis://${NOBODY_LISTENS}`,
      SURETY_LOG_LEVEL: 'error',
      SURETY_RECONCILE_INTERVAL: '20ms',
      SURETY_CHECK_INTERVAL: '100ms',
      SURETY_SEAL_INTERVAL: '100ms',
      SURETY_STALL_TIMEOUT: '500ms',
      SURETY_OPEN_LIST_LAG: '1',
      HOLD_TIMEOUT: '1s',
    });
    try {
      await until(async () => (await stateOf(expired)) === 'cancelled', 'a void and a release');
      await until(async () => (await stateOf(lost)) === 'committed', 'a commit');
      await until(async () => (await stateOf(forgotten)) === 'rejected', 'an expiry');
      await until(async () => (await countOf(1, 'ledger_seals')) > 0, 'a seal');
      await until(async () => {
        const [point] = await cells(0, 'SELECT verified_at FROM verified_points');
        return typeof point === 'string';
      }, 'a check');
      const keys = 'idempotency_keys WHERE slot = 7 AND transfer_id IS NULL';
      await until(async () => (await countOf(0, keys)) === 0, 'a key removed');
      const balance = `balances WHERE account_id = '${neighbour}' AND held = 0`;
      await until(async () => (await countOf(0, balance)) === 1, 'a projection repaired');
      await until(async () => {
        const [end] = await cells(0, "SELECT listed_below < REPEAT('\\xff', 16) FROM placement");
        return Number(end) === 1;
      }, 'the end of the list moved');
      await until(async () => (await countOf(0, 'lease_fences')) > 0, 'a fence');
    } finally {
      await running.stop();
    }
    // A walk that fits into one page has no place to go on from.
    await as('reconciler', async ({ shards: [shard] }) => {
      for (const place of ['1', '2']) await writeSweepPositions(shard!, new Map([['walk', place]]));
    });
    await drain();
  });

  it('operator looks, checks, verifies, corrects, and has the last word', async () => {
    const [source] = shards.pools.shards as [Shard];
    const [committed = ''] = transferIds;
    await as('projector', (pools) =>
      rebuildProjections(pools.shards, { log: silentLog('projector') }),
    );
    for (const args of [
      ['status', '--json'],
      ['check', '--full'],
      ['check'],
      ['verify'],
      ['transfer', 'show', committed],
      ['holds', 'list'],
      ['accounts', 'show', payer],
      ['audit', 'list'],
      ['reconcile', 'report'],
      ['accounts', 'freeze', neighbour, ...BECAUSE],
      ['accounts', 'unfreeze', neighbour, ...BECAUSE],
    ]) {
      // Letters wait, which `status` does not call well.
      const code = args[0] === 'status' ? 1 : 0;
      expect([args, await surety(...args)]).toEqual([args, [code, expect.any(String)]]);
    }
    const [, list] = await surety('dlq', 'list', '--json');
    const letters = JSON.parse(list) as { letter: string }[];
    for (const [at, verb] of (['replay', 'discard'] as const).entries()) {
      expect((await surety('dlq', verb, letters[at]!.letter, ...BECAUSE))[0]).toBe(0);
    }
    await source.send(['DELETE FROM outbox']);

    const id = await request('3.00', payee, 'by-hand');
    expect((await surety('transfer', 'retry', id, ...BECAUSE))[0]).toBeLessThan(2);
    await as('relay', (relay) => Promise.all(relay.shards.map(relayed))).then(([events]) =>
      as('workers', ({ shards: [shard] }) =>
        applySteps(shard!.store, events!, { holdTimeoutMs: 9e6, actor: 'saga' }),
      ),
    );
    expect(await stateOf(id)).toBe('held');
    await source.send([
      `UPDATE accounts SET balance = balance + 1 WHERE id = '${neighbour}'`,
      `UPDATE transaction_status SET reason = 'held_limit' WHERE transfer_id = ${hex(committed)}`,
      `UPDATE transfers SET reason = 'held_limit' WHERE id = ${hex(transferIds[1]!)}`,
      `DELETE FROM holds WHERE transfer_id = ${hex(id)}`,
    ]);
    const [code, told] = await surety('reconcile', 'run', '--full', ...BECAUSE);
    expect([code, told]).toEqual([0, expect.stringContaining('0 refused')]);
    expect((await surety('holds', 'release', id, ...BECAUSE))[0]).toBe(0);
    expect(await stateOf(id)).toBe('cancelled');
    expect((await surety('check', '--full'))[0]).toBe(0);
  });

  it('workers who lack one privilege write nothing, and the step waits for it', async () => {
    const id = await request('2.00', payee, 'denied');
    const events = (await as('relay', (relay) => Promise.all(relay.shards.map(relayed)))).flat();
    const schema = new URL(shards.urls[0]!).pathname.slice(1);
    const table = `\`${schema}\`.\`transfer_events\``;
    const user = `'${users.nameOf('workers')}'@'%'`;
    const hold = (): Promise<unknown> =>
      as('workers', ({ shards: [shard] }) =>
        applySteps(shard!.store, events, { holdTimeoutMs: 60_000, actor: 'saga' }),
      );
    await users.admin.query(`REVOKE INSERT ON ${table} FROM ${user}`);
    const error: unknown = await hold().catch((cause: unknown) => cause);
    await users.admin.query(`GRANT INSERT ON ${table} TO ${user}`);
    expect(error).toBeInstanceOf(StoreError);
    // Not the data's fault: such a message is tried again, and never a dead letter.
    expect((error as StoreError).kind).toBe('environment');
    expect([await stateOf(id), await countOf(0, 'holds')]).toEqual(['requested', 0]);
    await hold();
    expect([await stateOf(id), await countOf(0, 'holds')]).toEqual(['held', 1]);
  });
});

describe('the server itself refuses', () => {
  const rowRoles = ROLES.filter((role) => role !== 'migrator');

  /** The server's error number, or 0 where it did as it was told. */
  async function errorsOf(role: Role, statements: readonly string[]): Promise<[string, number][]> {
    const connection = await createConnection(users.urls(role)[0]!);
    const answers: [string, number][] = [];
    try {
      for (const sql of statements) {
        await connection.query('START TRANSACTION');
        const answer = connection.query(sql).then(
          () => 0,
          (error: unknown) => (error as { errno: number }).errno,
        );
        answers.push([sql, await answer]);
        await connection.query('ROLLBACK');
      }
    } finally {
      await connection.end();
    }
    return answers;
  }

  async function expectDenied(role: Role, statements: readonly string[]): Promise<void> {
    expect(statements.length).toBeGreaterThan(0);
    const done = (await errorsOf(role, statements)).filter(([, code]) => !DENIED.includes(code));
    expect(done).toEqual([]);
  }

  it.each(rowRoles)('%s every change of what is written once, and every removal', async (role) => {
    const changes = WRITTEN_ONCE.flatMap((table) => [
      ...COLUMNS.get(table)!.map((column) => `UPDATE ${table} SET ${column} = ${column}`),
      `DELETE FROM ${table}`,
      `DELETE FROM ${table} WHERE 1 = 0`,
      `REPLACE INTO ${table} SELECT * FROM ${table}`,
      `TRUNCATE TABLE ${table}`,
      `ALTER TABLE ${table} COMMENT = 'changed'`,
      `DROP TABLE ${table}`,
    ]);
    await expectDenied(role, changes);
  });

  it.each(rowRoles)(
    '%s other columns of accounts and transfers, and their removal',
    async (role) => {
      const mayChange = (table: string, column: string): boolean =>
        new RegExp(`UPDATE \\([^)]*\\b${column}\\b`).test(PRIVILEGES[table]?.[role] ?? '');
      const tables = ['accounts', 'transfers', 'placement', 'idempotency_keys'];
      const changes = tables.flatMap((table) =>
        COLUMNS.get(table)!
          .filter((column) => !mayChange(table, column))
          .map((column) => `UPDATE ${table} SET ${column} = ${column}`),
      );
      await expectDenied(role, [
        ...changes,
        ...['accounts', 'transfers', 'placement'].map((table) => `DELETE FROM ${table}`),
      ]);
    },
  );

  it('relay and projector a look at keys, accounts and the ledger', async () => {
    const tables = ['idempotency_keys', 'accounts', 'ledger_entries', 'transfers', 'audit_log'];
    for (const role of ['relay', 'projector'] as const) {
      await expectDenied(
        role,
        tables.map((table) => `SELECT * FROM ${table}`),
      );
    }
  });
});

describe('the list of privileges', () => {
  it('names every table of the schema, and nothing else', () => {
    expect(Object.keys(PRIVILEGES).sort()).toEqual([...COLUMNS.keys()].sort());
  });

  it('lets nobody change or remove what is written once', () => {
    for (const table of WRITTEN_ONCE) {
      const words = Object.values(PRIVILEGES[table]!).flatMap((one) => one.split(', '));
      const others = words.filter((word) => word !== 'SELECT' && word !== 'INSERT');
      expect([table, others]).toEqual([table, []]);
    }
  });

  it('lets the migrator make a schema from nothing, drop nothing, and look at no other', async () => {
    const adminUrl = testMySqlUrl();
    const schema = `surety_t_${Date.now().toString(36)}_m`;
    const url = Object.assign(new URL(adminUrl), { pathname: `/${schema}` }).href;
    const made = await createRoleUsers(adminUrl, [url], ['migrator']);
    try {
      await made.admin.query(`CREATE DATABASE ${schema} CHARACTER SET utf8mb4`);
      await migrateShards(made.urls('migrator'));
      await migrateShards(made.urls('migrator'));
      expect(await dumpSchema(url)).toBe(checkedInSchema());
      const other = new URL(shards.urls[0]!).pathname.slice(1);
      const connection = await createConnection(made.urls('migrator')[0]!);
      for (const sql of ['DROP TABLE accounts', `SELECT * FROM ${other}.accounts`]) {
        await expect(connection.query(sql)).rejects.toMatchObject({ errno: 1142 });
      }
      await connection.end();
    } finally {
      await made.admin.query(`DROP DATABASE IF EXISTS ${schema}`);
      await made.drop();
    }
  });

  it('becomes statements without a password, and refuses names that would need quoting', () => {
    const user = { user: 'surety_relay', host: '10.0.%' };
    const statements = grantStatements('relay', user, 'surety_0');
    expect(statements).toContain(
      "GRANT SELECT, DELETE ON `surety_0`.`outbox` TO 'surety_relay'@'10.0.%'",
    );
    expect(statements.join()).not.toMatch(/IDENTIFIED|PASSWORD|ALL PRIVILEGES|GRANT OPTION/);
    expect(() => grantStatements('relay', { ...user, user: "a'b" }, 's')).toThrow(TypeError);
    expect(() => grantStatements('relay', { ...user, host: "a'b" }, 's')).toThrow(TypeError);
    expect(() => grantStatements('migrator', user, 's`')).toThrow(TypeError);
  });
});
