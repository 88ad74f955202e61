import { hash as digest } from 'node:crypto';
import { hashNode } from './encoding.js';

/**
 * The root of a Merkle tree (RFC 6962, section 2.1) over leaves that come one after the other. Keeps
 * one hash for each bit of their number, whatever that is.
 */
export class MerkleTree {
  /** Hashes of complete subtrees, the largest first: one for each bit of the number of leaves. */
  readonly #complete: string[] = [];
  #leaves = 0;

  get leaves(): number {
    return this.#leaves;
  }

  /** @param leafHash hex */
  push(leafHash: string): void {
    let hash = leafHash;
    for (let rest = this.#leaves; rest % 2 === 1; rest = (rest - 1) / 2) {
      hash = hashNode(this.#complete.pop() as string, hash);
    }
    this.#complete.push(hash);
    this.#leaves += 1;
  }

  /** Hex. Of no leaves at all: the hash of nothing. */
  root(): string {
    const [smallest, ...larger] = [...this.#complete].reverse();
    if (smallest === undefined) return digest('sha256', '');
    return larger.reduce((right, left) => hashNode(left, right), smallest);
  }
}
