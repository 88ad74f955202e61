import type { ShardId } from '@surety/domain';

/** One row, or one sum, that breaks a promise. */
export interface Finding {
  /** null where the finding is about all shards together. */
  readonly shard: ShardId | null;
  /** What is broken, as an operator would look it up: `account ACC001`, `transfer 0190…`. */
  readonly key: string;
  /** In words, without the values. */
  readonly problem: string;
  /** The values that contradict each other. Sums are strings of minor units. */
  readonly detail: Readonly<Record<string, string | number | null>>;
}

export interface CheckResult {
  readonly check: string;
  /** The promise in one sentence. */
  readonly promise: string;
  readonly ok: boolean;
  /** At most FINDINGS_MAX of them. */
  readonly findings: readonly Finding[];
  /** There are more findings than listed. */
  readonly isCut: boolean;
  readonly rowsChecked: number;
  /** What was seen that breaks nothing: projections that are behind while work is under way. */
  readonly notes: readonly string[];
  readonly ms: number;
}

/** Findings kept per check: enough to see a pattern, and a bound on memory when everything is broken. */
export const FINDINGS_MAX = 100;

/** Gathers what a check sees. */
export class Findings {
  readonly #found: Finding[] = [];
  readonly notes: string[] = [];
  isCut = false;
  rowsChecked = 0;

  get list(): readonly Finding[] {
    return this.#found;
  }

  /** Whether more findings would only be cut off: the check may stop reading. */
  get isFull(): boolean {
    return this.#found.length >= FINDINGS_MAX;
  }

  add(...findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (this.isFull) this.isCut = true;
      else this.#found.push(finding);
    }
  }
}
