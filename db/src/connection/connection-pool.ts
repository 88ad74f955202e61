import knexModule from 'knex';
import type { Knex } from 'knex';
import { StoreError } from '@surety/saga';
import { ASK_FOR_BLOCKS, BLOCK_TEXT_MAX, answersFromBlock, asBlock } from './blocks.js';
import type { Row } from './cells.js';
import { AnswerTimeoutError, failureOf } from './driver-errors.js';
import {
  ACQUIRE_QUEUE_MAX,
  ACQUIRE_TIMEOUT_MS,
  ANSWER_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  REAP_INTERVAL_MS,
  driverSettings,
  sessionStatements,
} from './settings.js';
import { SILENT } from './silent-log.js';

/** Counters of what goes to the database; all optional work of the caller. */
export interface DatabaseMetrics {
  statement(): void;
  commit(): void;
  /** A transaction begins again: `code` is the error's number. */
  retry(code: string): void;
}

export interface PoolOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly metrics?: DatabaseMetrics | undefined;
  readonly waitTimeoutSeconds?: number | undefined;
  readonly answerTimeoutMs?: number | undefined;
}

/** What one statement of a packet came to: rows of a read, or the number of rows it changed. */
export interface StatementResult {
  readonly rows: readonly Row[];
  readonly affectedRows: number;
  /** The first auto-increment value of an insert, else 0. */
  readonly insertId: bigint;
}

export interface SendOptions {
  readonly timeoutMs?: number;
}

type QueryCallback = (error: Error | null, results?: unknown, fields?: unknown) => void;

/**
 * What is used of a connection of the driver. `values: null` says that the text is whole: otherwise
 * it is searched for placeholders, which took 7 % of the door's samples in a profile.
 */
interface DriverConnection {
  query(
    options: { sql: string; rowsAsArray: boolean; values: null },
    callback: QueryCallback,
  ): unknown;
  destroy(): void;
  readonly stream: { destroy(): void };
  __knex__disposed?: unknown;
}

/** What is used of knex: its pool. Hot statements are plain text and go past its builders. */
interface KnexPoolClient {
  acquireConnection(): Promise<DriverConnection>;
  releaseConnection(connection: DriverConnection): Promise<void>;
  readonly pool: { numPendingAcquires(): number };
}

/** One connection in the hands of one caller. Every call is one round trip. */
export class Link {
  readonly #connection: DriverConnection;
  readonly #metrics: DatabaseMetrics | undefined;
  readonly #answerTimeoutMs: number;
  readonly #takesBlocks: boolean;

  constructor(connection: DriverConnection, options: PoolOptions, takesBlocks: boolean) {
    this.#connection = connection;
    this.#metrics = options.metrics;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
    this.#takesBlocks = takesBlocks;
  }

  /**
   * Sends statements in one packet. The server stops at the first error, so that what follows it
   * is not carried out: a COMMIT at the end is only reached where everything before it succeeded.
   */
  async send(
    statements: readonly string[],
    options: SendOptions = {},
  ): Promise<readonly StatementResult[]> {
    const timeoutMs = options.timeoutMs ?? this.#answerTimeoutMs;
    const raw = await this.#query(statements.join(';\n'), timeoutMs);
    this.#countStatements(statements);
    return resultsOf(statements, raw);
  }

  /**
   * Sends statements whose results nobody reads, which stop at the first error like those of `send`.
   * Where the server has blocks, it answers all of them at once.
   * @returns the number of rows that they changed, all together
   */
  async write(statements: readonly string[]): Promise<number> {
    const text = statements.join(';\n');
    const isBlock = this.#takesBlocks && statements.length > 1 && text.length <= BLOCK_TEXT_MAX;
    const raw = await this.#query(isBlock ? asBlock(text) : text, this.#answerTimeoutMs);
    this.#countStatements(statements);
    const results = isBlock ? [resultOf(raw)] : resultsOf(statements, raw);
    return results.reduce((changed, { affectedRows }) => changed + affectedRows, 0);
  }

  #countStatements(statements: readonly string[]): void {
    if (this.#metrics) for (const _ of statements) this.#metrics.statement();
  }

  #query(sql: string, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new AnswerTimeoutError(`no answer within ${timeoutMs} ms`));
        this.destroy();
      }, timeoutMs);
      this.#connection.query({ sql, rowsAsArray: true, values: null }, (error, results) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve(results);
      });
    });
  }

  /** The connection is in an unknown state: the pool must not offer it again. */
  destroy(): void {
    this.#connection.__knex__disposed = true;
    this.#connection.destroy();
    this.#connection.stream.destroy();
  }
}

/** Of a packet: the driver hands over the result of a lone statement by itself. */
function resultsOf(statements: readonly string[], raw: unknown): StatementResult[] {
  return (statements.length === 1 ? [raw] : (raw as unknown[])).map(resultOf);
}

function resultOf(result: unknown): StatementResult {
  if (Array.isArray(result)) return { rows: result as Row[], affectedRows: 0, insertId: 0n };
  const header = result as { affectedRows: number; insertId: number | string };
  return { rows: [], affectedRows: header.affectedRows, insertId: BigInt(header.insertId) };
}

/** The connections of this process to one shard. */
export class ConnectionPool {
  readonly options: PoolOptions;
  readonly #knex: Knex;
  readonly #client: KnexPoolClient;
  readonly #takingBlocks = new WeakSet<DriverConnection>();

  constructor(options: PoolOptions) {
    this.options = options;
    const setUp = `${sessionStatements(options.waitTimeoutSeconds)}; ${ASK_FOR_BLOCKS}`;
    this.#knex = knexModule({
      client: 'mysql2',
      // Statements come with their values in them: the driver need not look for placeholders.
      connection: { ...driverSettings(options.url), queryFormat: (sql: string) => sql },
      log: SILENT,
      pool: {
        min: 0,
        max: options.poolSize,
        acquireTimeoutMillis: ACQUIRE_TIMEOUT_MS,
        createTimeoutMillis: ACQUIRE_TIMEOUT_MS,
        idleTimeoutMillis: IDLE_TIMEOUT_MS,
        reapIntervalMillis: REAP_INTERVAL_MS,
        afterCreate: (
          connection: DriverConnection,
          done: (error: Error | null, connection: DriverConnection) => void,
        ) => {
          connection.query({ sql: setUp, rowsAsArray: true, values: null }, (error, results) => {
            if (answersFromBlock(results)) this.#takingBlocks.add(connection);
            done(error, connection);
          });
        },
      },
    });
    this.#client = this.#knex.client as KnexPoolClient;
  }

  get metrics(): DatabaseMetrics | undefined {
    return this.options.metrics;
  }

  /**
   * Lends a connection for one piece of work. After an error it goes back to the pool only once its
   * transaction is rolled back (1205 undoes the statement alone), or is destroyed.
   * @throws StoreError of kind environment where no connection is to be had; else what `work` throws.
   */
  async use<T>(work: (link: Link) => Promise<T>): Promise<T> {
    const connection = await this.#acquire();
    const link = new Link(connection, this.options, this.#takingBlocks.has(connection));
    try {
      return await work(link);
    } catch (error) {
      await cleanUp(link, error);
      throw error;
    } finally {
      await this.#client.releaseConnection(connection);
    }
  }

  /** Like `use`, on a connection whose session settings the work may change: it is not used again. */
  async useOnce<T>(work: (link: Link) => Promise<T>): Promise<T> {
    return this.use(async (link) => {
      try {
        return await work(link);
      } finally {
        link.destroy();
      }
    });
  }

  async close(): Promise<void> {
    await this.#knex.destroy();
  }

  async #acquire(): Promise<DriverConnection> {
    if (this.#client.pool.numPendingAcquires() >= ACQUIRE_QUEUE_MAX) {
      throw new StoreError('environment', `${ACQUIRE_QUEUE_MAX} callers wait for a connection`);
    }
    try {
      return await this.#client.acquireConnection();
    } catch (cause) {
      const message = `no connection to the shard's database (${failureOf(cause).code})`;
      throw new StoreError('environment', message, { cause });
    }
  }
}

/** A StoreError was made of an answer that did arrive: the connection itself is sound. */
async function cleanUp(link: Link, error: unknown): Promise<void> {
  const cause = error instanceof StoreError ? error.cause : error;
  if (cause !== undefined && failureOf(cause).connectionEnded && !isOwnFault(cause)) {
    link.destroy();
    return;
  }
  try {
    await link.send(['ROLLBACK']);
  } catch {
    link.destroy();
  }
}

/** Thrown by code of this process rather than by the driver. */
function isOwnFault(error: unknown): boolean {
  return !(error instanceof Error) || (!('code' in error) && !('errno' in error));
}
