import type { ShardId } from '@surety/domain';
import { StoreError } from '@surety/saga';
import type { Cell, Row } from './cells.js';
import type { ConnectionPool, Link, SendOptions, StatementResult } from './connection-pool.js';
import { failureOf } from './driver-errors.js';
import { backoffMs, pause } from './backoff.js';

export type { Cell, Row, StatementResult };

/** Where statements outside `transact` run: a shard (each packet by itself) or a snapshot of one. */
export interface Session {
  readonly id: ShardId;
  /** Sends statements in one round trip. @throws StoreError */
  send(statements: readonly string[]): Promise<readonly StatementResult[]>;
}

/** A session on which whole transactions can be written. */
export interface WritingSession extends Session {
  /**
   * Writes all of it or nothing, in one round trip and a transaction of its own; what each statement
   * came to is not told. @throws StoreError; nothing is stored then, unless the answer was lost
   */
  write(statements: readonly string[]): Promise<void>;
}

/** Attempts of a packet that lost a deadlock or waited too long for a lock. */
export const PACKET_ATTEMPTS_MAX = 5;

/** Any failure as a StoreError. */
export function storeError(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error;
  const { kind, code } = failureOf(error);
  if (kind === 'fenced') {
    return new StoreError('fenced', `${doing} met a newer holding of its lease`, { cause: error });
  }
  const isData = kind === 'data' || kind === 'duplicate';
  return new StoreError(isData ? 'data' : 'environment', `${doing} failed (${code})`, {
    cause: error,
    refused: kind === 'contention' || kind === 'denied',
  });
}

/**
 * Every packet by itself on a connection of the pool, committed as it goes; one that lost a deadlock
 * is sent again.
 */
export function pooledSession(id: ShardId, pool: ConnectionPool): WritingSession {
  return {
    id,
    send: async (statements) => {
      const results = await untilUncontended(pool, (link) => link.send(statements));
      countCommits(pool, { statements, results });
      return results;
    },
    write: async (statements) => {
      const packet = statements.length > 1 ? [BEGIN, ...statements, 'COMMIT'] : statements;
      const changed = await untilUncontended(pool, (link) => link.write(packet));
      if (changed > 0) pool.metrics?.commit();
    },
  };
}

const BEGIN = 'START TRANSACTION';

async function untilUncontended<T>(
  pool: ConnectionPool,
  send: (link: Link) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await pool.use(send);
    } catch (error) {
      if (!isContention(error) || attempt >= PACKET_ATTEMPTS_MAX) {
        throw storeError(error, 'a statement');
      }
      pool.metrics?.retry(failureOf(error).code);
      await pause(backoffMs(attempt));
    }
  }
}

/** Outside a transaction each statement that changed rows was one of its own, with its own flush. */
function countCommits(
  pool: ConnectionPool,
  packet: { readonly statements: readonly string[]; readonly results: readonly StatementResult[] },
): void {
  const { statements, results } = packet;
  const changes = results.filter(({ affectedRows }) => affectedRows > 0).length;
  const commits = statements.at(-1) === 'COMMIT' ? Math.min(1, changes) : changes;
  for (let commit = 1; commit <= commits; commit += 1) pool.metrics?.commit();
}

function isContention(error: unknown): boolean {
  return !(error instanceof StoreError) && failureOf(error).kind === 'contention';
}

/** Inside a transaction that somebody else began on this link. */
export function linkSession(id: ShardId, link: Link, options: SendOptions): Session {
  return {
    id,
    send: async (statements) => {
      try {
        return await link.send(statements, options);
      } catch (error) {
        throw storeError(error, 'a statement of a snapshot');
      }
    },
  };
}

/** One read; `read` maps a row in the order of the selected columns. */
export async function readRows<T>(
  session: Session,
  sql: string,
  read: (row: Row) => T,
): Promise<T[]> {
  const [result] = await session.send([sql]);
  return (result?.rows ?? []).map(read);
}

/** One write outside the money tables; the number of rows it changed. */
export async function changeRows(session: Session, sql: string): Promise<number> {
  const [result] = await session.send([sql]);
  return result?.affectedRows ?? 0;
}
