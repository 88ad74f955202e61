import {
  OUTBOX_COUNT_MAX,
  countDeadLetters,
  heldTotals,
  listLeases,
  openTransferTotals,
  outboxDepth,
  readVerifiedPoint,
} from '@surety/db';
import type {
  HeldTotal,
  OpenTransferTotals,
  OutboxDepth,
  Shard,
  StoredLease,
  VerifiedPoint,
} from '@surety/db';
import type { ShardId } from '@surety/domain';
import { errorLine } from '@surety/runtime';

export interface AnsweringShard {
  readonly id: ShardId;
  readonly answers: true;
  /** Messages that the relay has yet to publish; counting ends at a bound. */
  readonly outbox: OutboxDepth & { readonly isMore: boolean };
  readonly open: OpenTransferTotals;
  readonly held: readonly HeldTotal[];
  readonly leases: readonly StoredLease[];
  /** Dead letters that wait for a person. */
  readonly openDeadLetters: number;
  /** What the checks have proven here. */
  readonly checked: VerifiedPoint;
}

export type ShardStatus =
  AnsweringShard | { readonly id: ShardId; readonly answers: false; readonly error: string };

/** What stands open on a shard now. One that is away is a line of the answer, not a failure. */
export async function readShardStatus(shard: Shard): Promise<ShardStatus> {
  const { id } = shard;
  try {
    const [outbox, open, held, leases, letters, checked] = await Promise.all([
      outboxDepth(shard),
      openTransferTotals(shard),
      heldTotals(shard),
      listLeases(shard),
      countDeadLetters(shard),
      readVerifiedPoint(shard),
    ]);
    const isMore = outbox.rows >= OUTBOX_COUNT_MAX;
    const openDeadLetters = letters.get('open') ?? 0;
    return {
      ...{ id, answers: true, outbox: { ...outbox, isMore } },
      ...{ open, held, leases, openDeadLetters, checked },
    };
  } catch (error) {
    return { id, answers: false, error: errorLine(error) };
  }
}
