import { hash as digest } from 'node:crypto';
import { hashNode } from './encoding.js';

interface Subtree {
  readonly height: number;
  /** Hex. */
  readonly hash: string;
}

/**
 * The root of a Merkle tree (RFC 6962, section 2.1) over leaves that come one after the other. Keeps
 * one hash for each bit of their number, whatever that is.
 */
export class MerkleTree {
  readonly #complete: Subtree[] = [];
  #leaves = 0;

  get leaves(): number {
    return this.#leaves;
  }

  /** @param leafHash hex */
  push(leafHash: string): void {
    let subtree: Subtree = { height: 0, hash: leafHash };
    for (;;) {
      const left = this.#complete.at(-1);
      if (left?.height !== subtree.height) break;
      this.#complete.pop();
      subtree = { height: left.height + 1, hash: hashNode(left.hash, subtree.hash) };
    }
    this.#complete.push(subtree);
    this.#leaves += 1;
  }

  /** Hex. Of no leaves at all: the hash of nothing. */
  root(): string {
    const [smallest, ...larger] = [...this.#complete].reverse();
    if (!smallest) return digest('sha256', '');
    return larger.reduce((right, left) => hashNode(left.hash, right), smallest.hash);
  }
}
