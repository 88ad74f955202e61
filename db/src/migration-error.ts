import type { ShardId } from '@surety/domain';
import { driverSettings } from './connection/settings.js';

/** A shard that could not be migrated: which one, where it is, and what its server or the way to it said. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';

  constructor(shard: ShardId, url: string, cause: unknown) {
    super(`shard ${shard} (${placeOf(url)}): ${reasonOf(cause)}`, { cause });
  }
}

/** Neither user nor password. */
function placeOf(url: string): string {
  const { host, port, database } = driverSettings(url);
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

/** A name with several addresses that all refuse gives an error without a message. */
export function reasonOf(error: unknown): string {
  const { message, code } = (error ?? {}) as { message?: string; code?: string };
  return message || code || String(error);
}

/**
 * knex puts the statement, here sometimes a whole file, before what the server said: it is taken off
 * again, so that whoever prints the error and its causes prints lines and no file.
 */
export function withoutStatement(error: unknown): unknown {
  const { sqlMessage } = (error ?? {}) as { sqlMessage?: unknown };
  if (error instanceof Error && typeof sqlMessage === 'string') error.message = sqlMessage;
  return error;
}
