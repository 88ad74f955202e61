import type { ShardId } from '@surety/domain';
import { stepKey } from './soundness.js';

/** What a finding is about: a line of the ledger, or a row of the seals themselves. */
export type FindingSubject = 'entry' | 'leg' | 'seal' | 'part' | 'position' | 'account' | 'step';

/** One row that is not what was sealed, or that no seal and no account accounts for. */
export interface VerifyFinding {
  readonly shard: ShardId;
  readonly kind: 'altered' | 'removed' | 'inserted';
  readonly subject: FindingSubject;
  readonly account: string | null;
  readonly entrySeq: bigint | null;
  readonly transferId: string | null;
  readonly step: number | null;
  readonly seal: bigint | null;
  readonly problem: string;
  readonly detail: Readonly<Record<string, string | null>>;
}

export type FindingFields = Pick<VerifyFinding, 'kind' | 'subject' | 'problem'> &
  Partial<VerifyFinding>;

/** Findings kept per shard: a bound on memory where everything is broken. All are counted. */
export const FINDINGS_MAX = 1_000;

export class VerifyFindings {
  readonly #shard: ShardId;
  readonly #list: VerifyFinding[] = [];
  readonly #steps = new Set<string>();
  #total = 0;

  constructor(shard: ShardId) {
    this.#shard = shard;
  }

  get list(): readonly VerifyFinding[] {
    return this.#list;
  }

  get total(): number {
    return this.#total;
  }

  add(fields: FindingFields): void {
    this.#total += 1;
    if (this.#list.length >= FINDINGS_MAX) return;
    const finding = { ...NOTHING, shard: this.#shard, ...fields };
    this.#list.push(finding);
    const { transferId, step } = finding;
    if (transferId !== null && step !== null) this.#steps.add(stepKey({ transferId, step }));
  }

  /** Whether a finding names this step already. */
  names(step: { readonly transferId: string; readonly step: number }): boolean {
    return this.#steps.has(stepKey(step));
  }
}

const NOTHING = {
  account: null,
  entrySeq: null,
  transferId: null,
  step: null,
  seal: null,
  detail: {},
};
