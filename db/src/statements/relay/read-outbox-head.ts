import type { Session } from '../../connection/session.js';
import { readOutbox } from './read-outbox.js';
import type { StoredOutboxRow } from './read-outbox.js';

/**
 * Committed rows from the very first on. It passes over deleted rows that are not purged yet, so it
 * is for start and now and then, not for every pass.
 * Caller: relay. Index: PRIMARY (seq), from its beginning. Locks: none. Rows: at most `limit`.
 * @throws StoreError
 */
export function readOutboxHead(session: Session, limit: number): Promise<StoredOutboxRow[]> {
  return readOutbox(session, 0n, limit);
}
