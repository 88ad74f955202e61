import type { SealPartRow, StepEntry, UnsealedAccount } from '@surety/db';
import { hashEntry, hashPart } from './encoding.js';
import { MerkleTree } from './merkle-tree.js';
import { encodeWitness } from './witness.js';

/** Gathers what one seal says of one account. */
export class PartBuilder {
  readonly #account: UnsealedAccount;
  readonly #firstSeq: bigint;
  readonly #previousHash: string;
  readonly #tree = new MerkleTree();
  #witness = '';

  constructor(account: UnsealedAccount, firstSeq: bigint, previousHash: string) {
    this.#account = account;
    this.#firstSeq = firstSeq;
    this.#previousHash = previousHash;
  }

  /** In the order of their numbers. */
  add(entries: readonly StepEntry[]): void {
    const witnesses: string[] = [];
    for (const entry of entries) {
      const hash = hashEntry(entry);
      this.#tree.push(hash);
      witnesses.push(encodeWitness(entry, hash));
    }
    // Joined at once: what waits for the end of a seal is one text, and not the parts of each.
    this.#witness += witnesses.join('');
  }

  /** @param balance after the last entry that was added */
  finish(seal: bigint, balance: bigint): SealPartRow {
    const part = {
      seal,
      account: this.#account.id,
      slot: this.#account.slot,
      firstSeq: this.#firstSeq,
      lastSeq: this.#firstSeq + BigInt(this.#tree.leaves) - 1n,
      balance,
      root: this.#tree.root(),
      witness: this.#witness,
      previousHash: this.#previousHash,
    };
    return { ...part, hash: hashPart(part) };
  }
}
