import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NO_CHANGES, StoreError } from '@surety/saga';
import { anAccount, until } from '@surety/testing';
import { aPayerAndPayee } from '@surety/testing/payer-and-payee';
import type { PayerAndPayee } from '@surety/testing/payer-and-payee';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { readUuid } from './connection/cells.js';
import { openShards } from './shard-pools.js';
import type { Shard, ShardPools } from './shard-pools.js';
import { withGlobalSnapshot } from './snapshots.js';
import { openTransferMismatches } from './statements/check/open-transfer-mismatches.js';
import { moveListEnd } from './statements/reconciler/move-list-end.js';
import { LOCK_PLACEMENT } from './statements/transact/lock-placement.js';

type Fault = 'none' | 'answer to COMMIT is lost' | 'COMMIT is lost' | 'silent';

/** Stands between the pool and the server, and loses what it is told to. */
class FaultyLine {
  fault: Fault = 'none';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer((client) => {
      const upstream = connect(target);
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      this.#join(client, upstream);
    });
  }

  static async to(url: string): Promise<FaultyLine> {
    const { hostname, port } = new URL(url);
    const line = new FaultyLine({ host: hostname, port: Number(port) });
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  through(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String((this.#server.address() as AddressInfo).port);
    return through.href;
  }

  #join(client: Socket, upstream: Socket): void {
    let isCut = false;
    client.on('data', (data) => {
      const isCommit = data.includes('COMMIT');
      if (this.fault === 'silent') return;
      if (isCommit && this.fault === 'COMMIT is lost') {
        client.destroy();
        return;
      }
      isCut ||= isCommit && this.fault === 'answer to COMMIT is lost';
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (isCut) client.destroy();
      else if (this.fault !== 'silent') client.write(data);
    });
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The server's next answer fails, where after an orderly end it would still go out. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let shards: TestShards;
let line: FaultyLine;
let pools: ShardPools;
let shard: Shard;
let next = 0;

beforeAll(async () => {
  shards = await createTestShards();
});

beforeEach(async () => {
  line = await FaultyLine.to(shards.urls[0]!);
  const urls = shards.urls.map((url) => line.through(url));
  pools = openShards({ urls, poolSize: 4, partitions: 1, answerTimeoutMs: 1_500 });
  await pools.ready();
  shard = pools.shards[0]!;
});

afterEach(async () => {
  line.fault = 'none';
  await pools.close();
  await line.close();
});

afterAll(async () => {
  await shards?.drop();
});

async function insertAccount(id: string): Promise<unknown> {
  const row = { ...anAccount(id), metadata: null };
  return shard.store
    .transact({ accounts: [id] }, () => ({
      changes: { ...NO_CHANGES, accountsInserted: [row] },
      result: 'committed',
    }))
    .catch((error: unknown) => error);
}

async function isThere(id: string): Promise<boolean> {
  const [rows] = await shards.pools.shards[0]!.send([`SELECT 1 FROM accounts WHERE id = '${id}'`]);
  return rows!.rows.length === 1;
}

/** The server finds out in its own time that nobody is there to hear its answer. */
async function untilThere(id: string): Promise<void> {
  while (!(await isThere(id))) await new Promise((resolve) => setImmediate(resolve));
}

describe('a connection', () => {
  it('that is lost after COMMIT was sent leaves the outcome unknown: here it was carried out', async () => {
    const id = `lost-${(next += 1)}`;
    line.fault = 'answer to COMMIT is lost';
    const error = await insertAccount(id);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ kind: 'environment', outcomeUnknown: true });
    await untilThere(id);
    line.fault = 'none';
    expect(await insertAccount(`lost-${(next += 1)}`)).toBe('committed');
  });

  it('that is lost with the COMMIT leaves the outcome unknown: here nothing was written', async () => {
    const id = `lost-${(next += 1)}`;
    line.fault = 'COMMIT is lost';
    expect(await insertAccount(id)).toMatchObject({ kind: 'environment', outcomeUnknown: true });
    line.fault = 'none';
    expect(await isThere(id)).toBe(false);
    expect(await insertAccount(id)).toBe('committed');
  });

  it('that was lost while it lay in the pool is not offered again', async () => {
    await pools.check();
    line.cut();
    await Promise.all(Array.from({ length: 4 }, () => pools.check().catch(() => undefined)));
    expect(await insertAccount(`lost-${(next += 1)}`)).toBe('committed');
  });

  it('on which no answer comes ends in time, with nothing written', async () => {
    await pools.check();
    const id = `lost-${(next += 1)}`;
    line.fault = 'silent';
    expect(await insertAccount(id)).toMatchObject({ kind: 'environment', outcomeUnknown: false });
    line.fault = 'none';
    expect(await isThere(id)).toBe(false);
    expect(await insertAccount(id)).toBe('committed');
  });

  it('that cannot be made ends as a failure of the environment, and is made again later', async () => {
    const id = `lost-${(next += 1)}`;
    const { port } = new URL(line.through(shards.urls[0]!));
    await line.close();
    expect(await insertAccount(id)).toMatchObject({ kind: 'environment', outcomeUnknown: false });
    await expect(pools.check()).rejects.toThrow('shards away: 0');
    await expect(pools.slotMaps.reload()).rejects.toMatchObject({ kind: 'environment' });
    expect(port).not.toBe('');
  });
});

describe('a connection that is lost while the end of the list waits for a writer', () => {
  const options = { rows: 1_000, keepMs: -60_000 };
  let given: PayerAndPayee;

  beforeAll(async () => {
    given = await aPayerAndPayee();
  });

  afterAll(() => given?.shards.drop());

  async function isRunning(statement: string): Promise<boolean> {
    const [found] = await given.source.send([
      `SELECT 1 FROM information_schema.processlist WHERE info LIKE '${statement}' ` +
        'AND db = DATABASE() AND id <> CONNECTION_ID()',
    ]);
    return found!.rows.length > 0;
  }

  it('leaves nothing unlisted: the server goes on with the packet, and nobody hears it', async () => {
    const id = await given.transferIn('requested', 1, given.idOfNow());
    // The end does not move beyond the newest.
    await given.transferIn('committed', 2, given.idOfNow());
    const own = await FaultyLine.to(given.shards.urls[0]!);
    const lost = openShards({
      urls: [own.through(given.shards.urls[0]!)],
      poolSize: 2,
      partitions: 1,
    });
    try {
      await given.source.pool.use(async (link) => {
        await link.send(['START TRANSACTION', LOCK_PLACEMENT]);
        const moving = moveListEnd(lost.shards[0]!, options).catch((error: unknown) => error);
        await until(() => isRunning('UPDATE placement%'), 'a move that waits');
        own.reset();
        await link.send(['ROLLBACK']);
        expect(await moving).toMatchObject({ kind: 'environment' });
      });
      await until(async () => !(await isRunning('%')), 'the end of the packet');
      expect(await openTransferMismatches(given.source)).toEqual([]);
      while (await moveListEnd(given.source, options));
      const listed = await given.source.send(['SELECT transfer_id FROM open_transfers']);
      expect(listed[0]!.rows.map(([cell]) => readUuid(cell))).toEqual([id]);
    } finally {
      await lost.close();
      await own.close();
    }
  });
});

describe('an error of the server', () => {
  it('about tables or rights is the environment’s fault: no message is given up for it', async () => {
    await expect(shard.send(['SELECT * FROM no_such_table'])).rejects.toMatchObject({
      kind: 'environment',
    });
    await expect(shard.send(['SELECT FROM WHERE'])).rejects.toMatchObject({ kind: 'environment' });
  });

  it('about a value is the data’s', async () => {
    const insert = 'INSERT INTO leases (name, holder, token, expires_at) VALUES';
    const values = [
      `('${'x'.repeat(65)}', '', 1, NOW(6))`,
      `('x', '', 99999999999999999999, NOW(6))`,
      `('x', NULL, 1, NOW(6))`,
      `('x', '', 1, '2026-02-31 00:00:00')`,
      `('é', '', 1, NOW(6))`,
      `('x', '', 'one', NOW(6))`,
    ];
    for (const value of values) {
      await expect(shard.send([`${insert} ${value}`])).rejects.toMatchObject({ kind: 'data' });
    }
  });

  it('leaves the connection without a transaction', async () => {
    await expect(shard.send(['START TRANSACTION', 'SELECT nonsense'])).rejects.toThrow();
    const ids = Array.from({ length: 8 }, (_, n) => `after-${n}`);
    expect(await Promise.all(ids.map(insertAccount))).toEqual(ids.map(() => 'committed'));
  });
});

describe('a pool', () => {
  it('lets callers wait for a connection only up to its bound', async () => {
    const narrow = openShards({ urls: shards.urls, poolSize: 1, partitions: 1 });
    try {
      await narrow.ready();
      const [one] = narrow.shards;
      const answers = await Promise.all(
        Array.from({ length: 520 }, () => one!.send(['SELECT 1']).catch((error: unknown) => error)),
      );
      const refused = answers.filter((answer) => answer instanceof StoreError);
      // One more than the bound is on its way while the first one has its connection.
      expect([19, 20]).toContain(refused.length);
      expect(refused[0]).toMatchObject({ kind: 'environment' });
    } finally {
      await narrow.close();
    }
  });
});

describe('a snapshot of all shards, one of which hangs', () => {
  it('fails soon and has not stopped the writers of the others', async () => {
    const both = await createTestShards({ count: 2 });
    const hanging = await FaultyLine.to(both.urls[1]!);
    const urls = [both.urls[0]!, hanging.through(both.urls[1]!)];
    const mixed = openShards({ urls, poolSize: 4, partitions: 1 });
    try {
      await mixed.ready();
      await withGlobalSnapshot(mixed.shards, async () => undefined);
      hanging.fault = 'silent';
      const [healthy] = mixed.shards;
      const failing = withGlobalSnapshot(mixed.shards, async () => undefined);
      const account = { ...anAccount('meanwhile'), metadata: null };
      const writing = healthy!.store.transact({}, () => ({
        changes: { ...NO_CHANGES, accountsInserted: [account] },
        result: 'written',
      }));
      // Whoever comes first: the writer must not have to wait for the snapshot to give up.
      const first = await Promise.race([writing, failing.catch(() => 'gave up')]);
      expect(first).toBe('written');
      await expect(failing).rejects.toMatchObject({ kind: 'environment' });
    } finally {
      hanging.fault = 'none';
      hanging.cut();
      await mixed.close();
      await hanging.close();
      await both.drop();
    }
  });
});
