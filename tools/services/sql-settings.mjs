import { availableParallelism } from 'node:os';

/** What MariaDB and MySQL are started with, embedded or in a container: durable, and quick at that. */

/** Of both engines without a word about it: that of a small machine. */
const BUFFER_POOL_DEFAULT_MB = 256;
/** Recovery after a crash reads the redo log: beyond this it takes too long. */
const REDO_LOG_MAX_MB = 2_048;

/** A committed transaction survives a crash of server and machine; old binlogs do not fill the disk. */
const OF_BOTH = [
  '--skip-name-resolve',
  '--innodb-flush-log-at-trx-commit=1',
  '--log-bin=binlog',
  '--server-id=1',
  '--sync-binlog=1',
  '--binlog-format=ROW',
  // Of an update the key and what changed, of a deletion the key: every table here has one.
  '--binlog-row-image=MINIMAL',
  '--binlog-expire-logs-seconds=3600',
  '--max-binlog-size=128M',
  // The transaction of a batch fits: what does not is written to a temporary file first.
  '--binlog-cache-size=1M',
  '--transaction-isolation=READ-COMMITTED',
  '--max-connections=300',
  '--character-set-server=utf8mb4',
];

/** Of MariaDB without a word about it. */
const PURGE_THREADS_DEFAULT = 4;
/** What has to find room in MariaDB's thread pool beside the purge: its end and two more tasks. */
const OTHER_TASKS = 3;

/**
 * MariaDB purges in the thread pool in which it also ends its writes, and that carries two tasks for
 * each core. Purges that fill it wait for pages whose writes wait for a place in it: nothing is
 * written for seconds.
 */
function purgeThreads(cores) {
  return Math.max(1, Math.min(PURGE_THREADS_DEFAULT, 2 * cores - OTHER_TASKS));
}

const OF_ONE = {
  mariadb: (redoLogMb, cores) => [
    `--innodb-log-file-size=${redoLogMb}M`,
    // Pages a second: it begins with what a single hard disk can do. MySQL from 8.4 on does not.
    '--innodb-io-capacity=1000',
    '--innodb-io-capacity-max=4000',
    `--innodb-purge-threads=${purgeThreads(cores)}`,
    // By default the text of each statement goes into the binary log beside its rows.
    '--binlog-annotate-row-events=OFF',
  ],
  mysql: (redoLogMb) => [`--innodb-redo-log-capacity=${redoLogMb}M`, '--mysqlx=OFF'],
};

/**
 * The redo log is as large as the buffer pool: a page is then written once for many changes. With a
 * log that fills within half a minute every page has to be written again each time, and commits wait.
 * @param {'mariadb' | 'mysql'} engine
 * @param {number} [cores] that the server has
 * @returns {string[]} command line arguments of the server
 */
export function sqlSettings(
  engine,
  bufferPoolMb = BUFFER_POOL_DEFAULT_MB,
  cores = availableParallelism(),
) {
  const redoLogMb = Math.min(Math.max(bufferPoolMb, BUFFER_POOL_DEFAULT_MB), REDO_LOG_MAX_MB);
  const memory = `--innodb-buffer-pool-size=${bufferPoolMb}M`;
  return [...OF_BOTH, memory, ...OF_ONE[engine](redoLogMb, cores)];
}
