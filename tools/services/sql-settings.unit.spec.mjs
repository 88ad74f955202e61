import { describe, expect, it } from '@jest/globals';
import { sqlSettings } from './sql-settings.mjs';

describe('settings of the SQL servers', () => {
  it.each(['mariadb', 'mysql'])('keep what %s has acknowledged', (engine) => {
    const durable = ['--innodb-flush-log-at-trx-commit=1', '--sync-binlog=1'];
    expect(sqlSettings(engine)).toEqual(expect.arrayContaining(durable));
  });

  it.each(['mariadb', 'mysql'])('have %s log what changed, from memory', (engine) => {
    const lean = ['--binlog-row-image=MINIMAL', '--binlog-cache-size=1M'];
    expect(sqlSettings(engine)).toEqual(expect.arrayContaining(lean));
  });

  it.each([
    [undefined, '256M'],
    [64, '256M'],
    [1_024, '1024M'],
    [8_192, '2048M'],
  ])('of a buffer pool of %p MB: a redo log of %s', (bufferPoolMb, size) => {
    expect(sqlSettings('mariadb', bufferPoolMb)).toContain(`--innodb-log-file-size=${size}`);
    expect(sqlSettings('mysql', bufferPoolMb)).toContain(`--innodb-redo-log-capacity=${size}`);
  });

  it('raise the I/O capacity of MariaDB, and do not lower that of MySQL', () => {
    const capacities = (engine) => sqlSettings(engine).filter((one) => one.includes('io-capacity'));
    expect(capacities('mariadb')).toEqual([
      '--innodb-io-capacity=1000',
      '--innodb-io-capacity-max=4000',
    ]);
    expect(capacities('mysql')).toEqual([]);
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 3],
    [4, 4],
    [64, 4],
  ])(
    'leave room in the thread pool of a MariaDB with %p cores: %p purge threads',
    (cores, threads) => {
      expect(sqlSettings('mariadb', 256, cores)).toContain(`--innodb-purge-threads=${threads}`);
      expect(sqlSettings('mysql', 256, cores).join()).not.toContain('purge');
    },
  );

  it('tell neither engine what only the other one knows', () => {
    const names = (engine) => sqlSettings(engine).map((one) => one.split('=')[0]);
    expect(names('mysql')).not.toContain('--binlog-annotate-row-events');
    expect(names('mariadb')).not.toContain('--mysqlx');
  });
});
