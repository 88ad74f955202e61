import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NO_CHANGES } from '@surety/saga';
import { anAccount } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { createConnection } from 'mysql2/promise';
import { openShards } from '../shard-pools.js';
import type { Shard } from '../shard-pools.js';
import { guard } from '../statements/transact/shape.js';
import { BLOCK_TEXT_MAX } from './blocks.js';
import type { Link } from './connection-pool.js';
import { failureOf } from './driver-errors.js';
import { storedText, text } from './literals.js';

let shards: TestShards;
let shard: Shard;
let isMariaDb: boolean;
let statements = 0;
let commits = 0;
let retries: string[] = [];

beforeAll(async () => {
  const metrics = {
    statement: () => void (statements += 1),
    commit: () => void (commits += 1),
    retry: (code: string) => void retries.push(code),
  };
  shards = await createTestShards({ metrics });
  shard = shards.pools.shards[0]!;
  isMariaDb = String(await only('SELECT VERSION()')).includes('MariaDB');
  await shard.send([
    'CREATE TABLE notes (id INT PRIMARY KEY, word VARCHAR(4), note LONGTEXT) CHARACTER SET utf8mb4',
  ]);
});

beforeEach(async () => {
  await shard.send(['DELETE FROM notes']);
  retries = [];
});

afterAll(async () => {
  await shards?.drop();
});

async function only(sql: string): Promise<unknown> {
  const [result] = await shard.send([sql]);
  return result?.rows[0]?.[0];
}

async function stored(): Promise<unknown[]> {
  const [result] = await shard.send(['SELECT id FROM notes ORDER BY id']);
  return result!.rows.map(([id]) => Number(id));
}

function insert(id: number, note = 'NULL', word = 'NULL'): string {
  return `INSERT INTO notes VALUES (${id}, ${word}, ${note})`;
}

/** How many statements the server was sent meanwhile: a block is one. */
async function heard(link: Link, work: () => Promise<unknown>): Promise<number> {
  const questions = async (): Promise<number> => {
    const [result] = await link.send(["SHOW SESSION STATUS LIKE 'Questions'"]);
    return Number(result!.rows[0]![1]);
  };
  const before = await questions();
  await work();
  return (await questions()) - before - 1;
}

describe('writes', () => {
  it('are one statement to a server that has blocks, and as many as they are to others', async () => {
    const writes = ['START TRANSACTION', insert(1), insert(2), 'COMMIT'];
    await shard.pool.use(async (link) => {
      expect(await heard(link, () => link.write(writes))).toBe(isMariaDb ? 1 : 4);
      expect(await heard(link, () => link.write([insert(3)]))).toBe(1);
      expect(await heard(link, () => link.send(['SELECT 1', 'SELECT 2']))).toBe(2);
    });
    expect(await stored()).toEqual([1, 2, 3]);
  });

  it.each([
    ['at most', 0, 1],
    ['beyond', 1, 2],
  ])('of %s the longest text of a block', async (_, beyond, parts) => {
    const rest = `${insert(1)};\n${insert(2, "''")}`.length;
    const note = `'${'x'.repeat(BLOCK_TEXT_MAX - rest + beyond)}'`;
    await shard.pool.use(async (link) => {
      const number = await heard(link, () => link.write([insert(1), insert(2, note)]));
      expect(number).toBe(isMariaDb ? parts : 2);
    });
    expect(await stored()).toEqual([1, 2]);
  });

  it('tell how many rows they changed, all together', async () => {
    await shard.pool.use(async (link) => {
      expect(await link.write([insert(1), `${insert(2)}, (3, NULL, NULL)`])).toBe(3);
      expect(await link.write(['UPDATE notes SET id = id', 'DELETE FROM notes'])).toBe(3);
      expect(await link.write([insert(4)])).toBe(1);
      expect(await link.write(['START TRANSACTION', 'COMMIT'])).toBe(0);
    });
  });

  it('count as the statements that they are, and as one commit where they changed something', async () => {
    const [statementsBefore, commitsBefore] = [statements, commits];
    const counted = (): number[] => [statements - statementsBefore, commits - commitsBefore];
    await shard.write([insert(1), insert(2)]);
    expect(counted()).toEqual([4, 1]);
    await shard.write([insert(3)]);
    expect(counted()).toEqual([5, 2]);
    await shard.write(['DELETE FROM notes WHERE id > 7', 'DELETE FROM notes WHERE id > 8']);
    expect(counted()).toEqual([9, 2]);
  });

  const TEXTS = [
    'plain',
    `it's "quoted" \\ \\' ; COMMIT; END; -- # /* */ /*M!100600 ; */`,
    "'; END; DROP TABLE notes; BEGIN NOT ATOMIC SELECT '",
    'Größe \u0000\n\r\u001a € 😀',
  ];

  it('bring every text as it is', async () => {
    const rows = TEXTS.flatMap((value, n) => [
      insert(2 * n, text(value)),
      insert(2 * n + 1, storedText(value)),
    ]);
    await shard.write(rows);
    const [result] = await shard.send(['SELECT note FROM notes ORDER BY id']);
    expect(result!.rows.map(([note]) => note)).toEqual(TEXTS.flatMap((value) => [value, value]));
  });

  it('run under the settings of their session', async () => {
    const level = '(SELECT trx_isolation_level FROM information_schema.innodb_trx WHERE ';
    await shard.write([
      insert(1, '@@sql_mode'),
      insert(2, '@@character_set_client'),
      insert(3, '@@time_zone'),
      insert(4, `${level} trx_mysql_thread_id = CONNECTION_ID())`),
      insert(5, '@@autocommit'),
    ]);
    const [result] = await shard.send(['SELECT note FROM notes ORDER BY id']);
    const [mode, ...others] = result!.rows.map(([note]) => String(note));
    expect(mode).toContain('STRICT_ALL_TABLES');
    expect(others).toEqual(['latin1', '+00:00', 'READ COMMITTED', '1']);
  });

  it('leave the warnings of the last of them behind, however many came before', async () => {
    await shard.pool.use(async (link) => {
      const warned = "SET @surety_warned = CAST('1x' AS SIGNED)";
      for (let round = 0; round < 3; round += 1) await link.write(['SET @a = 1', warned, warned]);
      const [result] = await link.send(['SHOW WARNINGS']);
      expect(result!.rows.length).toBeLessThanOrEqual(2);
      await link.write([insert(1), insert(2)]);
      expect((await link.send(['SHOW WARNINGS']))[0]!.rows).toEqual([]);
    });
  });
});

describe('an error in the middle', () => {
  const ERRORS: readonly (readonly [string, string, string, string])[] = [
    ['a guard', guard(2), '1690', 'data'],
    ['a duplicate key', insert(1), '1062', 'duplicate'],
    ['a duplicate in the second row', `${insert(5)}, (1, NULL, NULL)`, '1062', 'duplicate'],
    ['a value too long', insert(2, 'NULL', "'12345'"), '1406', 'data'],
    ['a number out of range', insert(99_999_999_999), '1264', 'data'],
    ['no number', "UPDATE notes SET id = 'x'", '1366', 'data'],
    ['a NULL', 'INSERT INTO notes VALUES (NULL, NULL, NULL)', '1048', 'data'],
    [
      'a fence',
      'SELECT 1 INTO @surety_guard FROM (SELECT 1 AS n UNION ALL SELECT 2) AS twice',
      '1172',
      'fenced',
    ],
    ['a table that is not there', 'DELETE FROM no_such_table', '1146', 'environment'],
    ['no statement', 'DELETE FROM WHERE', '1064', 'environment'],
  ];

  it.each(ERRORS)('(%s) stops the rest and is told as it is', async (_, wrong, code, kind) => {
    const [statementsBefore, commitsBefore] = [statements, commits];
    const writes = ['START TRANSACTION', insert(1), wrong, insert(3), 'COMMIT'];
    const error = await shard.pool
      .use((link) => link.write(writes))
      .catch((cause: unknown) => cause);
    expect(failureOf(error)).toMatchObject({ code, kind, connectionEnded: false });
    expect([statements - statementsBefore, commits - commitsBefore]).toEqual([1, 0]);
    expect(await stored()).toEqual([]);
    await shard.write([insert(3), insert(4)]);
    expect(await stored()).toEqual([3, 4]);
  });

  it('leaves the transaction to whoever began it', async () => {
    await shard.pool.use(async (link) => {
      await link.send(['START TRANSACTION', insert(1)]);
      await expect(link.write([insert(2), insert(2), 'COMMIT'])).rejects.toThrow();
      const [seen] = await link.send(['SELECT COUNT(*) FROM notes']);
      expect(Number(seen!.rows[0]![0])).toBe(2);
      await link.send(['ROLLBACK']);
    });
    expect(await stored()).toEqual([]);
  });

  it('does not reach writes that are guarded and changed what they had to', async () => {
    const writes = [insert(1), guard(1), `${insert(2)}, (3, NULL, NULL)`, guard(2)];
    await shard.write([...writes, 'UPDATE notes SET word = NULL WHERE id = 1', guard(0)]);
    expect(await stored()).toEqual([1, 2, 3]);
  });
});

describe('a row that somebody else holds', () => {
  const touch = (id: number): string => `UPDATE notes SET note = 'touched' WHERE id = ${id}`;

  async function untilOneWaits(): Promise<void> {
    const waiting =
      'SELECT COUNT(*) FROM information_schema.innodb_trx AS t JOIN information_schema.processlist ' +
      "AS p ON p.id = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()";
    // InnoDB renews this list only where nobody has read it for 100 ms.
    while (Number(await only(waiting)) === 0) await sleep(150);
  }

  beforeEach(() => shard.write([insert(1), insert(2)]));

  it('is a lock time-out: what came before it is undone, and all is written again', async () => {
    await shard.pool.use(async (link) => {
      await link.send(['START TRANSACTION', touch(1)]);
      const written = shard.write([insert(5), touch(1), insert(6)]);
      while (retries.length === 0) await sleep(20);
      await link.send(['ROLLBACK']);
      await written;
    });
    expect(retries).toEqual(['1205']);
    expect(await stored()).toEqual([1, 2, 5, 6]);
  });

  it('is a deadlock where he waits for one of ours: all is written again', async () => {
    await shard.pool.use(async (link) => {
      // The engine gives up the transaction that changed least: the other one.
      const weight = Array.from({ length: 200 }, (_, n) => insert(100 + n));
      await link.send(['START TRANSACTION', ...weight, touch(1)]);
      const written = shard.write([insert(5), touch(2), touch(1), insert(6)]);
      await untilOneWaits();
      await link.send([touch(2), 'DELETE FROM notes WHERE id >= 100', 'COMMIT']);
      await written;
    });
    expect(retries).toContain('1213');
    expect(await stored()).toEqual([1, 2, 5, 6]);
  });
});

it('a user who may change rows and nothing else writes as everybody does', async () => {
  const user = `surety_u_${randomBytes(6).toString('hex')}`;
  const admin = await createConnection(shards.adminUrl);
  const url = new URL(shards.urls[0]!);
  try {
    await admin.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'Rows-only-1'`);
    const rights = 'SELECT, INSERT, UPDATE, DELETE';
    await admin.query(`GRANT ${rights} ON \`${url.pathname.slice(1)}\`.* TO '${user}'@'%'`);
    Object.assign(url, { username: user, password: 'Rows-only-1' });
    const pools = openShards({ urls: [url.href], poolSize: 1, partitions: 1 });
    try {
      await pools.ready();
      const rows = [{ ...anAccount('rows-only'), metadata: null }];
      const changes = { ...NO_CHANGES, accountsInserted: rows };
      await pools.shards[0]!.store.transact({}, () => ({ changes, result: undefined }));
    } finally {
      await pools.close();
    }
  } finally {
    await admin.query(`DROP USER IF EXISTS '${user}'@'%'`);
    await admin.end();
  }
  expect(await only("SELECT COUNT(*) FROM accounts WHERE id = 'rows-only'")).toBe('1');
});
