import { withSnapshot } from '@surety/db';
import type { Session, Shard } from '@surety/db';
import { VerifyFindings } from './findings.js';
import type { VerifyFinding } from './findings.js';
import { eachSeal, findLostSeals } from './verify-chain.js';
import { verifyPositions } from './verify-coverage.js';
import { verifySeal } from './verify-seal.js';

/** One turn: bounds what the verification takes from a busy shard. */
const TURN_ENTRIES_MAX = 5_000n;
const TURN_SEALS_MAX = 500;

export interface Turn {
  /** Of this turn, at most FINDINGS_MAX. */
  readonly findings: readonly VerifyFinding[];
  /** Of the round as it stands, or of the one before where that found more. */
  readonly roundFindings: number;
}

/**
 * Compares all seals of a shard with its ledger again and again, a few at a time: a round goes from
 * the first seal to the last and then begins anew. What is not sealed, and legs that no account
 * counts, are left to `surety verify`.
 */
export class RollingVerification {
  readonly #shard: Shard;
  #lastSeal = 0n;
  #found = 0;
  #foundBefore = 0;

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /** @throws StoreError */
  async turn(): Promise<Turn> {
    const findings = new VerifyFindings(this.#shard.id);
    const isAtEnd = await withSnapshot(this.#shard, (snapshot) => this.#look(snapshot, findings));
    this.#found += findings.total;
    const roundFindings = Math.max(this.#found, this.#foundBefore);
    if (isAtEnd) {
      this.#foundBefore = this.#found;
      this.#found = 0;
      this.#lastSeal = 0n;
    }
    return { findings: findings.list, roundFindings: isAtEnd ? this.#foundBefore : roundFindings };
  }

  async #look(snapshot: Session, findings: VerifyFindings): Promise<boolean> {
    let entries = 0n;
    let seals = 0;
    for await (const seal of eachSeal(snapshot, { findings, after: this.#lastSeal })) {
      entries += await verifySeal(snapshot, seal, findings);
      seals += 1;
      this.#lastSeal = seal.seal;
      if (entries >= TURN_ENTRIES_MAX || seals >= TURN_SEALS_MAX) return false;
    }
    await findLostSeals(snapshot, findings);
    await verifyPositions(snapshot, findings);
    return true;
  }
}
