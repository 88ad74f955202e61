import type { Partition } from './partitions.js';
import type { IncomingBatch } from './ports.js';

/** What is told of a batch that a runner was given. */
export interface BatchProgress {
  /** It is in hand: the partition is read on behind it. Not told of a batch that is turned away. */
  taken(): void;
  /** Everything of the partition up to this offset is handled. */
  advance(lastHandledOffset: string): void;
}

/** A batch in hand and what of it is still to be handled. */
export interface Piece {
  readonly batch: IncomingBatch;
  readonly rest: IncomingBatch;
}

interface Held extends Piece {
  rest: IncomingBatch;
  readonly progress: BatchProgress;
  readonly characters: number;
}

/**
 * What of one partition is in hand, from the first batch to the moment at which nothing is. Batches
 * are handled in any order; the position advances over those that are handled without a gap.
 */
export class PartitionWork {
  /** The group was joined anew since it came. */
  isForeign = false;
  isPaused = false;
  /** Something of it hung or was not handled in full at once. */
  isFailing = false;
  readonly empty: Promise<void>;
  #held: Held[] = [];
  #handling = 0;
  #characters = 0;
  #partition: Partition | undefined;
  /** The last offset that was advanced to. */
  #told: string | undefined;
  #emptied: () => void = () => undefined;

  constructor() {
    this.empty = new Promise((resolve) => {
      this.#emptied = resolve;
    });
  }

  get partition(): Partition | undefined {
    return this.#partition;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Whether a handler has something of it. */
  get isHandling(): boolean {
    return this.#handling > 0;
  }

  /** Of all messages in hand. */
  get characters(): number {
    return this.#characters;
  }

  add(batch: IncomingBatch, progress: BatchProgress): Piece {
    const { topic, partition } = batch;
    this.#partition = { topic, partition };
    const characters = charactersOf(batch);
    const held: Held = { batch, rest: batch, progress, characters };
    this.#held.push(held);
    this.#characters += characters;
    return held;
  }

  begin(): void {
    this.#handling += 1;
  }

  end(): void {
    this.#handling -= 1;
  }

  /** @returns whether some of it is left to be handled */
  handled(piece: Piece, processed: number): boolean {
    const held = piece as Held;
    held.rest = { ...held.rest, messages: held.rest.messages.slice(Math.max(0, processed)) };
    this.#advance();
    return held.rest.messages.length > 0;
  }

  #advance(): void {
    let last: { readonly offset: string; readonly progress: BatchProgress } | undefined;
    for (let first = this.#held[0]; first; first = this.#held[0]) {
      const { batch, rest, progress, characters } = first;
      const offset = batch.messages.at(-1 - rest.messages.length)?.offset;
      if (offset !== undefined && rest.messages.length < batch.messages.length) {
        last = { offset, progress };
      }
      if (rest.messages.length > 0) break;
      this.#held.shift();
      this.#characters -= characters;
    }
    if (last && last.offset !== this.#told) {
      this.#told = last.offset;
      last.progress.advance(last.offset);
    }
    if (this.isEmpty) this.#emptied();
  }
}

/** Of all its messages. */
export function charactersOf({ messages }: IncomingBatch): number {
  return messages.reduce((sum, { value }) => sum + value.length, 0);
}
