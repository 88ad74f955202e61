import type { AccountId, ShardId } from '@surety/domain';

/** What the evidence says about some rows: nothing is wrong, one right answer, or none. */
export type Verdict<Correction> =
  | { readonly kind: 'sound' }
  | {
      readonly kind: 'correct';
      readonly correction: Correction;
      /** What stands there, and what will: only what differs. */
      readonly before: Values;
      readonly after: Values;
    }
  | { readonly kind: 'refused'; readonly why: string };

export type Values = Readonly<Record<string, string | number | null>>;

export const SOUND = { kind: 'sound' } as const;

export function refused(why: string): { readonly kind: 'refused'; readonly why: string } {
  return { kind: 'refused', why };
}

/** What was, or would be, set right. */
export interface Corrected {
  readonly shard: ShardId;
  /** As an operator would look it up: `account ACC001`, `transfer 0190…`. */
  readonly key: string;
  readonly before: Values;
  readonly after: Values;
  /** Accounts whose held totals follow from it. */
  readonly accounts?: readonly AccountId[];
}

/** What is broken and has no one right answer, or none that may be taken without a person. */
export interface Refused {
  /** null where it is about all shards together. */
  readonly shard: ShardId | null;
  readonly key: string;
  readonly check: string;
  readonly problem: string;
  readonly why: string;
}

/** In whose name a correction is made, and why: both stand in its line of audit_log. */
export interface CorrectionAuthor {
  readonly actor: string;
  readonly reason: string;
}
