import { listUnsealedAccounts, readPostedEntries } from '@surety/db';
import type { EntryRange, Session, StepEntry, UnsealedAccount } from '@surety/db';
import { inPieces } from '../give-way.js';
import type { GiveWay } from '../give-way.js';
import { BATCH_ENTRIES_MAX, byAccount } from './read-batch.js';
import { AccountWalk } from './soundness.js';
import type { Fault } from './soundness.js';

/** Accounts in memory at a time. */
const PAGE_ACCOUNTS = 500;

/** A piece of one account's unsealed entries, found sound. */
export interface SoundPiece extends EntryRange {
  readonly of: UnsealedAccount;
  readonly entries: readonly StepEntry[];
  /** After the last of them. */
  readonly balance: bigint;
}

export interface WalkListener {
  /** Room for that many more entries before `sound` has to be told of those in hand. */
  room(): bigint;
  /** Pieces of one batch, by account; the next piece of an account goes on where this one ends. */
  sound(pieces: readonly SoundPiece[]): Promise<void>;
  /** An account that is not gone along any further in this walk, and why. */
  unsound(account: UnsealedAccount, faults: readonly Fault[]): void;
  /** After each batch. */
  readonly giveWay: GiveWay;
  /** Asked after every batch. */
  mayGoOn(): boolean;
}

/**
 * Goes along everything that is not sealed at this instant, account by account, in batches of bounded
 * size. What is unsound stops its account, not the others.
 */
export class UnsealedWalk {
  readonly #snapshot: Session;
  readonly #listener: WalkListener;
  readonly #stopped = new Set<string>();
  readonly #walks = new Map<string, AccountWalk>();
  #batch: (EntryRange & { readonly of: UnsealedAccount })[] = [];
  #planned = 0n;

  constructor(snapshot: Session, listener: WalkListener) {
    this.#snapshot = snapshot;
    this.#listener = listener;
  }

  /** @returns false where it was stopped before the end. @throws StoreError */
  async run(): Promise<boolean> {
    let after: string | undefined;
    for (;;) {
      const page = await listUnsealedAccounts(this.#snapshot, after, PAGE_ACCOUNTS);
      for (const account of page) if (!(await this.#along(account))) return false;
      if (page.length < PAGE_ACCOUNTS) break;
      after = page.at(-1)?.id;
    }
    if (this.#planned > 0n) await this.#flush();
    return true;
  }

  async #along(account: UnsealedAccount): Promise<boolean> {
    const sealedSeq = account.sealed?.entrySeq ?? 0n;
    if (account.entrySeq < sealedSeq) {
      this.#listener.unsound(account, [countsLess(account, sealedSeq)]);
      return true;
    }
    let next = sealedSeq + 1n;
    while (next <= account.entrySeq && !this.#stopped.has(account.id)) {
      const room = min(BATCH_ENTRIES_MAX, this.#listener.room()) - this.#planned;
      const lastSeq = min(account.entrySeq, next + room - 1n);
      this.#batch.push({ of: account, account: account.id, firstSeq: next, lastSeq });
      this.#planned += lastSeq - next + 1n;
      next = lastSeq + 1n;
      if (this.#planned < min(BATCH_ENTRIES_MAX, this.#listener.room())) continue;
      await this.#flush();
      if (!this.#listener.mayGoOn()) return false;
    }
    return true;
  }

  #flush(): Promise<void> {
    return inPieces(this.#listener.giveWay, () => this.#readBatch());
  }

  async #readBatch(): Promise<void> {
    const ranges = this.#batch;
    this.#batch = [];
    this.#planned = 0n;
    const foundOf = byAccount(await readPostedEntries(this.#snapshot, ranges));
    const pieces: SoundPiece[] = [];
    for (const range of ranges) {
      const { of } = range;
      const walk = this.#walks.get(of.id) ?? new AccountWalk(of);
      const found = foundOf(of.id);
      const faults = walk.take(range, found);
      const { entries } = found;
      if (faults.length === 0) pieces.push({ ...range, entries, balance: walk.balance });
      else this.#stop(of, faults);
      if (faults.length > 0 || range.lastSeq === of.entrySeq) this.#walks.delete(of.id);
      else this.#walks.set(of.id, walk);
    }
    await this.#listener.sound(pieces);
  }

  #stop(account: UnsealedAccount, faults: readonly Fault[]): void {
    this.#stopped.add(account.id);
    this.#listener.unsound(account, faults);
  }
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function countsLess(account: UnsealedAccount, sealedSeq: bigint): Fault {
  return {
    account: account.id,
    entrySeq: account.entrySeq,
    transferId: undefined,
    step: undefined,
    kind: 'altered',
    problem: 'the account counts fewer entries than are sealed',
    detail: { entrySeq: account.entrySeq.toString(), sealedSeq: sealedSeq.toString() },
  };
}
