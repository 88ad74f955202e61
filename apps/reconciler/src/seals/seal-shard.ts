import { insertSeal, readSealInstant, withGlobalSnapshot } from '@surety/db';
import type {
  SealInstant,
  SealPartRow,
  SealRow,
  Session,
  Shard,
  UnsealedAccount,
} from '@surety/db';
import { AT_ONCE } from '../give-way.js';
import type { GiveWay } from '../give-way.js';
import { NO_HASH, hashSeal } from './encoding.js';
import { MerkleTree } from './merkle-tree.js';
import { PartBuilder } from './part-builder.js';
import { entriesOf } from './read-batch.js';
import type { Fault } from './soundness.js';
import { UnsealedWalk } from './unsealed-walk.js';
import type { SoundPiece, WalkListener } from './unsealed-walk.js';

/**
 * Bounds the memory of the sealer, one of its transactions, and a turn of the rolling verification,
 * which takes seals whole.
 */
export const SEAL_ENTRIES_MAX = 5_000n;
/** Bounds how long one snapshot stays open; what is left is sealed from a newer one at once. */
export const SEALS_PER_PASS_MAX = 40;
/** Faults kept of one pass. */
const FAULTS_MAX = 100;

export interface SealPass {
  readonly seals: readonly SealRow[];
  readonly entries: bigint;
  /** Stopped before the end: the next pass is due at once. */
  readonly isBehind: boolean;
  /** Entries that were left unsealed for a fault in their account; at least 1 for each such account. */
  readonly refusedEntries: bigint;
  /** At most FAULTS_MAX. */
  readonly faults: readonly Fault[];
}

export interface SealOptions {
  /** Asked between two seals. */
  readonly mayGoOn?: () => boolean;
  readonly sealEntriesMax?: bigint;
  /** Of whoever is in no hurry. */
  readonly giveWay?: GiveWay;
}

/**
 * Seals everything that was committed by now: the upper bound is taken while no writer is in flight,
 * the work is done in the snapshot of that instant. Two sealers at once are harmless: a seal's number
 * is taken by one of them, and the other stops.
 * @throws StoreError
 */
export function sealShard(shard: Shard, options: SealOptions = {}): Promise<SealPass> {
  return withGlobalSnapshot([shard], async (snapshots) => {
    const snapshot = snapshots[0] as Session;
    const instant = await readSealInstant(snapshot);
    const sealer = new Sealer(shard, instant, options);
    const isAtEnd = await new UnsealedWalk(snapshot, sealer).run();
    await sealer.close();
    return sealer.result(isAtEnd);
  });
}

class Sealer implements WalkListener {
  readonly giveWay: GiveWay;
  readonly #shard: Shard;
  readonly #instant: SealInstant;
  readonly #options: SealOptions;
  readonly #seals: SealRow[] = [];
  readonly #faults: Fault[] = [];
  #builders = new Map<string, { readonly builder: PartBuilder; balance: bigint }>();
  /** Of parts that this pass stored: what the next part of the same account goes on from. */
  #partHashes = new Map<string, string>();
  #inHand = 0n;
  #refused = 0n;
  #isLost = false;

  constructor(shard: Shard, instant: SealInstant, options: SealOptions) {
    this.#shard = shard;
    this.#instant = instant;
    this.#options = options;
    this.giveWay = options.giveWay ?? AT_ONCE;
  }

  room(): bigint {
    return (this.#options.sealEntriesMax ?? SEAL_ENTRIES_MAX) - this.#inHand;
  }

  async sound(pieces: readonly SoundPiece[]): Promise<void> {
    for (const piece of pieces) this.#add(piece);
    this.#inHand += entriesOf(pieces);
    if (this.room() <= 0n) await this.close();
  }

  unsound(account: UnsealedAccount, faults: readonly Fault[]): void {
    // What was found sound of it in this seal is not sealed either: the fault may reach back.
    this.#builders.delete(account.id);
    const unsealed = account.entrySeq - (account.sealed?.entrySeq ?? 0n);
    this.#refused += unsealed < 1n ? 1n : unsealed;
    this.#faults.push(...faults.slice(0, FAULTS_MAX - this.#faults.length));
  }

  mayGoOn(): boolean {
    if (this.#isLost || this.#seals.length >= SEALS_PER_PASS_MAX) return false;
    return this.#options.mayGoOn?.() ?? true;
  }

  result(isAtEnd: boolean): SealPass {
    return {
      seals: this.#seals,
      entries: this.#seals.reduce((sum, { entries }) => sum + entries, 0n),
      isBehind: !isAtEnd && !this.#isLost,
      refusedEntries: this.#refused,
      faults: this.#faults,
    };
  }

  /** Stores what is in hand as a seal. */
  async close(): Promise<void> {
    const seal = this.#nextSeal();
    const parts = [...this.#builders.values()].map(({ builder, balance }) =>
      builder.finish(seal, balance),
    );
    this.#builders = new Map();
    this.#inHand = 0n;
    if (parts.length === 0 || this.#isLost) return;
    const row = this.#sealOf(seal, parts);
    const stored = await insertSeal(this.#shard, { epoch: this.#instant.epoch, seal: row, parts });
    this.#isLost = !stored;
    if (!stored) return;
    this.#seals.push(row);
    this.#partHashes = new Map(parts.map(({ account, hash }) => [account, hash]));
  }

  #add({ of, firstSeq, entries, balance }: SoundPiece): void {
    const previousHash = this.#partHashes.get(of.id) ?? of.sealed?.partHash ?? NO_HASH;
    const known = this.#builders.get(of.id);
    const builder = known?.builder ?? new PartBuilder(of, firstSeq, previousHash);
    builder.add(entries);
    this.#builders.set(of.id, { builder, balance });
  }

  #nextSeal(): bigint {
    return (this.#last()?.seal ?? 0n) + 1n;
  }

  #last(): SealRow | undefined {
    return this.#seals.at(-1) ?? this.#instant.head;
  }

  #sealOf(seal: bigint, parts: readonly SealPartRow[]): SealRow {
    const tree = new MerkleTree();
    for (const { hash } of parts) tree.push(hash);
    const row = {
      seal,
      shard: this.#instant.shard,
      previousHash: this.#last()?.hash ?? NO_HASH,
      root: tree.root(),
      parts: BigInt(parts.length),
      entries: parts.reduce((sum, part) => sum + part.lastSeq - part.firstSeq + 1n, 0n),
      sealedAt: this.#instant.at,
    };
    return { ...row, hash: hashSeal(row) };
  }
}
