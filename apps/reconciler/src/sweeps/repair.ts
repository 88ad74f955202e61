import type { Envelope } from '@surety/contracts';
import type { ShardId, TransferId } from '@surety/domain';
import { traceIdOf } from '@surety/runtime';
import type { AuditNote } from '@surety/saga';

/** Who stands in events and audit_log. */
export const RECONCILER = 'reconciler';

/**
 * What a repair does: `void` fences a transfer at its destination, `commit` and `release` follow the
 * decision that stands there, `expire` ends what nobody took up, `send_again` puts a stored event
 * into the outbox once more.
 */
export type RepairKind = 'void' | 'commit' | 'release' | 'expire' | 'send_again';

/** Why a transfer was looked at. */
export type RepairCause = 'hold_expired' | 'standing_still' | 'not_taken_up';

export interface Repair {
  readonly kind: RepairKind;
  readonly cause: RepairCause;
  /** The shard that was, or would be, written to. */
  readonly shard: ShardId;
  readonly slot: number;
  readonly transferId: TransferId;
  /** Of the request that began the transfer, where it had one. */
  readonly traceId?: string;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** Something that a sweep cannot put right: an alarm, a missing row, a shard that is away. */
export interface Trouble {
  readonly kind:
    'alarm' | 'missing_event' | 'data' | 'shard_away' | 'stray_decision' | 'outbox_old';
  readonly shard: ShardId;
  readonly transferId?: TransferId;
  readonly traceId?: string;
  readonly message: string;
  readonly error?: unknown;
}

/** Where a pass tells what it did, or would do in a dry run. */
export interface RepairListener {
  repaired(repair: Repair): void;
  trouble(trouble: Trouble): void;
}

/** The ids under which the log tells of a transfer, from any of its events. */
export function idsOf({
  transferId,
  traceparent,
}: Envelope): Pick<Repair, 'transferId' | 'traceId'> {
  const traceId = traceIdOf(traceparent);
  return traceId === undefined ? { transferId } : { transferId, traceId };
}

/** In whose name a pass repairs: the process in its own, a command in that of its operator. */
export interface SweepAuthor {
  readonly actor: string;
  /** Why somebody asked for the pass; the process needs none. */
  readonly reason?: string;
}

export const BY_ITSELF: SweepAuthor = { actor: RECONCILER };

/** Room of the column, in characters. */
const REASON_MAX = 255;

/** Who takes a repair's step, and the line it leaves in audit_log, of one transaction with it. */
export function authored(
  { actor, reason }: SweepAuthor,
  cause: RepairCause,
): { readonly actor: string; readonly audit: AuditNote } {
  const text = reason === undefined ? cause : `${cause}: ${reason}`;
  return { actor, audit: { via: 'reconcile', reason: text.slice(0, REASON_MAX) } };
}
