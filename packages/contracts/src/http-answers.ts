import { isReason } from '@surety/domain';
import type { Reason } from '@surety/domain';
import { z } from 'zod';

/**
 * What the API answers. Sums are decimal strings with the currency's decimals, times RFC 3339 in
 * UTC. Clients and specs parse with these; the door itself only types what it writes.
 */
const decimal = z.string().regex(/^-?[0-9]+(?:\.[0-9]+)?$/);
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
const counter = z.string().regex(/^[0-9]+$/);
const reason = z.custom<Reason>((value) => typeof value === 'string' && isReason(value));
const metadata = z.record(z.string(), z.unknown());
const status = z.enum(['requested', 'held', 'committed', 'rejected', 'cancelled']);
const kind = z.enum(['transfer', 'funding', 'fee', 'reversal', 'adjustment']);

export const transferAcceptedAnswer = z.strictObject({
  transactionId: z.string(),
  status: z.literal('requested'),
  sourceAccount: z.string(),
  destinationAccount: z.string(),
  amount: decimal,
  currency: z.string(),
  description: z.string().optional(),
  metadata: metadata.optional(),
  requestedAt: time,
});

/** One transfer of a batch: what it would have been answered alone. */
export const transferBatchAnswer = z.strictObject({
  results: z.array(
    z.union([
      z.strictObject({
        status: z.literal(202),
        replayed: z.boolean(),
        transfer: transferAcceptedAnswer,
      }),
      z.strictObject({ status: z.int(), problem: z.looseObject({ code: z.string() }) }),
    ]),
  ),
});

export const timelineEntry = z.strictObject({
  step: z.int(),
  event: z.enum([
    'requested',
    'held',
    'rejected',
    'credited',
    'refused',
    'voided',
    'committed',
    'cancelled',
  ]),
  at: time,
  shard: z.int(),
  reason: reason.optional(),
});

export const transferAnswer = z.strictObject({
  transactionId: z.string(),
  status,
  reason: reason.optional(),
  reasonText: z.string().optional(),
  kind,
  sourceAccount: z.string(),
  destinationAccount: z.string(),
  amount: decimal,
  currency: z.string(),
  description: z.string().optional(),
  metadata: metadata.optional(),
  requestedAt: time,
  updatedAt: time,
  timeline: z.array(timelineEntry),
  /** False where the destination's shard did not answer: its events are missing from the timeline. */
  timelineComplete: z.boolean(),
});

export const transferStatusAnswer = z.strictObject({
  transactionId: z.string(),
  status,
  reason: reason.optional(),
  updatedAt: time,
});

export const cancelAnswer = z.strictObject({
  transactionId: z.string(),
  status: z.literal('cancelled'),
  /** `cancelled_by_client`, or `hold_expired` where the time-out was faster. */
  reason,
  updatedAt: time,
});

export const accountAnswer = z.strictObject({
  accountId: z.string(),
  type: z.enum(['customer', 'merchant', 'fee']),
  owner: z.string().optional(),
  status: z.enum(['open', 'frozen', 'closed']),
  currency: z.string(),
  overdraftLimit: decimal,
  balance: decimal,
  held: decimal,
  available: decimal,
  version: counter,
  metadata: metadata.optional(),
});

export const balanceAnswer = z.strictObject({
  accountId: z.string(),
  balance: decimal,
  held: decimal,
  /** Left out where a stale copy does not know the overdraft limit. */
  available: decimal.optional(),
  currency: z.string(),
  version: counter,
  asOf: time,
  /** True where the shard is out of reach and this is the last projected copy. */
  stale: z.boolean().optional(),
});

export const ledgerEntry = z.strictObject({
  entrySeq: counter,
  transactionId: z.string(),
  /** Signed: positive is credited to the account. */
  amount: decimal,
  balanceAfter: decimal,
  currency: z.string(),
  at: time,
});

export const entriesAnswer = z.strictObject({
  entries: z.array(ledgerEntry),
  nextCursor: z.string().optional(),
});

export const fundingAnswerBody = z.strictObject({
  transactionId: z.string(),
  status: z.literal('committed'),
  kind: z.literal('funding'),
  direction: z.enum(['deposit', 'withdrawal']),
  accountId: z.string(),
  sourceAccount: z.string(),
  destinationAccount: z.string(),
  amount: decimal,
  currency: z.string(),
  description: z.string().optional(),
  metadata: metadata.optional(),
  requestedAt: time,
  /** The account right after this movement. */
  balance: decimal,
  held: decimal,
  version: counter,
});

export type TransferAcceptedAnswer = z.infer<typeof transferAcceptedAnswer>;
export type TransferBatchAnswer = z.infer<typeof transferBatchAnswer>;
export type TimelineEntry = z.infer<typeof timelineEntry>;
export type TransferAnswer = z.infer<typeof transferAnswer>;
export type TransferStatusAnswer = z.infer<typeof transferStatusAnswer>;
export type CancelAnswer = z.infer<typeof cancelAnswer>;
export type AccountAnswer = z.infer<typeof accountAnswer>;
export type BalanceAnswer = z.infer<typeof balanceAnswer>;
export type LedgerEntryAnswer = z.infer<typeof ledgerEntry>;
export type EntriesAnswer = z.infer<typeof entriesAnswer>;
export type FundingAnswerBody = z.infer<typeof fundingAnswerBody>;
