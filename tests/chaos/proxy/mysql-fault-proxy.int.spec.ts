import { randomBytes } from 'node:crypto';
import { testMySqlUrl } from '@surety/testing/shards';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import { MySqlFaultProxy, STATEMENT_FAILURES } from './mysql-fault-proxy.js';

describe('a proxy that fails statements', () => {
  const schema = `surety_t_${randomBytes(6).toString('hex')}`;
  let admin: Connection;
  let proxy: MySqlFaultProxy;
  let connection: Connection;

  beforeAll(async () => {
    const url = new URL(testMySqlUrl());
    admin = await createConnection(url.href);
    await admin.query(`CREATE DATABASE ${schema}`);
    await admin.query(`CREATE TABLE ${schema}.notes (id INT PRIMARY KEY, note LONGTEXT)`);
    proxy = await MySqlFaultProxy.listen({
      target: { host: url.hostname, port: Number(url.port) },
      random: () => 0.5,
    });
    url.port = String(proxy.port);
    url.pathname = `/${schema}`;
    connection = await createConnection({ uri: url.href, multipleStatements: true });
  });

  beforeEach(async () => {
    proxy.failStatements();
    await connection.query('ROLLBACK');
    await admin.query(`DELETE FROM ${schema}.notes`);
  });

  afterAll(async () => {
    await connection.end();
    await proxy.close();
    await admin.query(`DROP DATABASE ${schema}`);
    await admin.end();
  });

  async function stored(): Promise<number[]> {
    const [rows] = await admin.query(`SELECT id FROM ${schema}.notes ORDER BY id`);
    return (rows as { id: number }[]).map(({ id }) => id);
  }

  it.each(Object.entries(STATEMENT_FAILURES))('answers with %s', async (_, failure) => {
    proxy.failStatements({ ...failure, share: 1 });
    await expect(connection.query('INSERT INTO notes VALUES (1, NULL)')).rejects.toMatchObject({
      errno: failure.errno,
      sqlState: failure.sqlState,
      sqlMessage: failure.message,
    });
    expect(await stored()).toEqual([]);
  });

  it('lets reads through, and everything once it is told to stop', async () => {
    proxy.failStatements({ ...STATEMENT_FAILURES.diskFull, share: 1 });
    const [rows] = await connection.query('SELECT 1 AS one');
    expect(rows).toEqual([{ one: 1 }]);
    await expect(connection.query('DELETE FROM notes')).rejects.toMatchObject({ errno: 1021 });
    proxy.failStatements();
    await connection.query('INSERT INTO notes VALUES (1, NULL)');
    expect(await stored()).toEqual([1]);
  });

  it('fails a packet of many statements as a whole, and the transaction stays open', async () => {
    await connection.query('START TRANSACTION; INSERT INTO notes VALUES (1, NULL)');
    proxy.failStatements({ ...STATEMENT_FAILURES.readOnlyMode, share: 1 });
    const packet = 'INSERT INTO notes VALUES (2, NULL); INSERT INTO notes VALUES (3, NULL); COMMIT';
    await expect(connection.query(packet)).rejects.toMatchObject({ errno: 1836 });
    expect(await stored()).toEqual([]);
    proxy.failStatements();
    await connection.query('COMMIT');
    expect(await stored()).toEqual([1]);
  });

  it('fails the prepared statements, too', async () => {
    await connection.execute('INSERT INTO notes VALUES (?, NULL)', [1]);
    proxy.failStatements({ ...STATEMENT_FAILURES.deadlock, share: 1 });
    const run = connection.execute('INSERT INTO notes VALUES (?, NULL)', [2]);
    await expect(run).rejects.toMatchObject({ errno: 1213 });
    expect(await stored()).toEqual([1]);
  });

  it('fails only the share that it is told, and only what matches', async () => {
    proxy.failStatements({ ...STATEMENT_FAILURES.lockWait, share: 0.5 });
    await connection.query('INSERT INTO notes VALUES (1, NULL)');
    proxy.failStatements({ ...STATEMENT_FAILURES.lockWait, share: 0.51 });
    await expect(connection.query('INSERT INTO notes VALUES (2, NULL)')).rejects.toMatchObject({
      errno: 1205,
    });
    proxy.failStatements({ ...STATEMENT_FAILURES.lockWait, share: 1, matching: /other/ });
    await connection.query('INSERT INTO notes VALUES (3, NULL)');
    expect(await stored()).toEqual([1, 3]);
  });

  it('keeps in step with statements of every length', async () => {
    proxy.failStatements({ ...STATEMENT_FAILURES.diskFull, share: 1, matching: /never/ });
    const lengths = [1, 100, 65_531, 70_000, 1_000_000, 5_000_000];
    for (const [id, length] of lengths.entries()) {
      await connection.query('INSERT INTO notes VALUES (?, ?)', [id, 'x'.repeat(length)]);
    }
    const [rows] = await connection.query('SELECT id, CHAR_LENGTH(note) AS length FROM notes');
    expect(rows).toEqual(lengths.map((length, id) => ({ id, length })));
    proxy.failStatements({ ...STATEMENT_FAILURES.diskFull, share: 1 });
    const long = connection.query('INSERT INTO notes VALUES (9, ?)', ['x'.repeat(200_000)]);
    await expect(long).rejects.toMatchObject({ errno: 1021 });
  });
});
