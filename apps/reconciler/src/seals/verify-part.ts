import type { CrowdedNumber, EntryRange, SealPartRow, StepEntry } from '@surety/db';
import { diagnose } from './diagnose.js';
import { hashEntry, hashPart } from './encoding.js';
import type { FindingFields, VerifyFindings } from './findings.js';
import { MerkleTree } from './merkle-tree.js';
import { crowdProblem, rangeSize } from './read-batch.js';
import type { AccountEntries } from './read-batch.js';
import { WITNESS_DIGITS, isWitnessed, witnessAt } from './witness.js';
import type { EntryWitness } from './witness.js';

/** Compares one account's entries with what one seal says of them, piece by piece. */
export class PartVerification {
  readonly part: SealPartRow;
  readonly #tree = new MerkleTree();
  readonly #found: FindingFields[] = [];
  /** Rows that share a number with the sealed one: wrong whatever the part is worth. */
  readonly #surplus: FindingFields[] = [];
  readonly #hash: string;

  constructor(part: SealPartRow) {
    this.part = part;
    this.#hash = hashPart(part);
  }

  /** The leaf of this part as it lies there now. */
  get hash(): string {
    return this.#hash;
  }

  get isAltered(): boolean {
    const digits = rangeSize(this.part) * BigInt(WITNESS_DIGITS);
    return this.#hash !== this.part.hash || BigInt(this.part.witness.length) !== digits;
  }

  /** The next numbers, with what was found of them. */
  take(
    { firstSeq, lastSeq }: Pick<EntryRange, 'firstSeq' | 'lastSeq'>,
    { entries, crowded }: AccountEntries<StepEntry>,
  ): void {
    let at = 0;
    for (let seq = firstSeq; seq <= lastSeq; seq += 1n) {
      const crowd = crowded.find(({ entrySeq }) => entrySeq === seq);
      if (crowd) {
        this.#found.push(crowdFinding(crowd));
        continue;
      }
      const same: StepEntry[] = [];
      for (; entries[at]?.entrySeq === seq; at += 1) same.push(entries[at] as StepEntry);
      this.#takeNumber(seq, same);
    }
  }

  #takeNumber(seq: bigint, entries: readonly StepEntry[]): void {
    const witness = witnessAt(this.part.witness, Number(seq - this.part.firstSeq));
    if (!witness) return;
    const hashed = entries.map((entry) => ({ entry, hash: hashEntry(entry) }));
    const sealed =
      hashed.find(({ hash }) => isWitnessed(witness, hash)) ??
      hashed.find(({ entry }) => isOf(witness, entry)) ??
      hashed[0];
    if (!sealed) return void this.#found.push(this.#removed(seq, witness));
    this.#tree.push(sealed.hash);
    if (!isWitnessed(witness, sealed.hash)) this.#found.push(diagnose(sealed.entry, witness));
    for (const { entry } of hashed) if (entry !== sealed.entry) this.#surplus.push(surplus(entry));
  }

  #removed(entrySeq: bigint, { transferId, step }: EntryWitness): FindingFields {
    const { account } = this.part;
    const problem = 'the entry was sealed and is gone';
    return { kind: 'removed', subject: 'entry', account, entrySeq, transferId, step, problem };
  }

  /** All numbers were taken. */
  report(findings: VerifyFindings): void {
    const { seal, account, root } = this.part;
    const isWhole = BigInt(this.#tree.leaves) === rangeSize(this.part);
    const isProven = isWhole && this.#tree.root() === root;
    if (this.isAltered) {
      const problem = 'what the seal says of the account is not what it said';
      findings.add({ kind: 'altered', subject: 'part', account, seal, problem });
    } else if (!isProven && this.#found.length === 0) {
      const problem = 'entries do not come to the root that was sealed';
      findings.add({ kind: 'altered', subject: 'part', account, seal, problem });
    }
    // Entries that come to the sealed root are what was sealed: then only the witness is wrong.
    const found = isProven ? this.#surplus : [...this.#found, ...this.#surplus];
    for (const one of found) findings.add({ ...one, seal });
  }
}

function isOf(witness: EntryWitness, { transferId, step }: StepEntry): boolean {
  return witness.transferId === transferId && witness.step === step;
}

/** Whether the sealed entry is among them was not looked at: the number is broken in any case. */
function crowdFinding(crowd: CrowdedNumber): FindingFields {
  const { account, entrySeq, transferId = null, step = null } = crowd;
  const about = { account, entrySeq, transferId, step };
  return { kind: 'inserted', subject: 'entry', ...about, ...crowdProblem(crowd) };
}

function surplus({ account, entrySeq, transferId, step }: StepEntry): FindingFields {
  const problem = 'the number belongs to another entry, which was sealed';
  return { kind: 'inserted', subject: 'entry', account, entrySeq, transferId, step, problem };
}
