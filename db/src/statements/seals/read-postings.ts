import type { TransferId } from '@surety/domain';
import {
  readBigintOrNull,
  readCount,
  readText,
  readTextOrNull,
  readUuid,
} from '../../connection/cells.js';
import { count, uuid } from '../../connection/literals.js';
import type { Session } from '../../connection/session.js';
import { PAIRS_MAX, chunksOf } from '../transact/shape.js';

/** What else of a step lies on its shard: the second witness of its legs. */
export interface Posting {
  readonly transferId: TransferId;
  readonly step: number;
  readonly type: string;
  readonly envelope: string;
  readonly decision: { readonly outcome: string; readonly minor: bigint } | undefined;
  readonly transfer: { readonly state: string; readonly minor: bigint } | undefined;
}

/**
 * Events of these steps, each with the decision and the transfer of its id as far as they lie here.
 * Caller: sealer, verification, in a snapshot. Index: PRIMARY of the three tables. Locks: none. Rows:
 * at most those asked for, in one round trip.
 * @throws StoreError
 */
export async function readPostings(
  snapshot: Session,
  steps: readonly { readonly transferId: TransferId; readonly step: number }[],
): Promise<Posting[]> {
  if (steps.length === 0) return [];
  const statements = chunksOf(steps, PAIRS_MAX).map((chunk) => {
    const pairs = chunk.map(({ transferId, step }) => `(${uuid(transferId)}, ${count(step)})`);
    return (
      'SELECT e.transfer_id, e.step, e.type, e.envelope, d.outcome, d.amount, t.state, t.amount ' +
      'FROM transfer_events AS e FORCE INDEX (PRIMARY) ' +
      'LEFT JOIN decisions AS d FORCE INDEX (PRIMARY) ON d.transfer_id = e.transfer_id AND d.part = 0 ' +
      'LEFT JOIN transfers AS t FORCE INDEX (PRIMARY) ON t.id = e.transfer_id ' +
      `WHERE (e.transfer_id, e.step) IN (${pairs.join(', ')})`
    );
  });
  const results = await snapshot.send(statements);
  return results.flatMap(({ rows }) =>
    rows.map((row) => {
      const outcome = readTextOrNull(row[4] ?? null);
      const decided = readBigintOrNull(row[5] ?? null);
      const state = readTextOrNull(row[6] ?? null);
      const asked = readBigintOrNull(row[7] ?? null);
      return {
        transferId: readUuid(row[0]),
        step: readCount(row[1]),
        type: readText(row[2]),
        envelope: readText(row[3]),
        decision: outcome === null || decided === null ? undefined : { outcome, minor: decided },
        transfer: state === null || asked === null ? undefined : { state, minor: asked },
      };
    }),
  );
}
