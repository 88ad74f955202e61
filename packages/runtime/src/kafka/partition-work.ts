import { deferred } from './deferred.js';
import type { Partition } from './partitions.js';
import type { IncomingBatch, IncomingMessage } from './ports.js';

/** What is told of a batch that a runner was given. */
export interface BatchProgress {
  /**
   * It is in hand, with so many characters: the partition is read on behind it. Not told of a batch
   * that is turned away.
   */
  taken(characters: number): void;
  /** Everything of the partition up to this offset is handled. */
  advance(lastHandledOffset: string): void;
}

/** A batch in hand: what of it is still to be handled, and where it came from. */
export interface Piece {
  readonly rest: readonly IncomingMessage[];
}

interface Held extends Piece {
  rest: readonly IncomingMessage[];
  readonly progress: BatchProgress;
  /** The last message that is handled, from the front; undefined where none is. */
  handledOffset: string | undefined;
  characters: number;
  isFailed: boolean;
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
  /** Somebody hands over again what failed. */
  isRetrying = false;
  readonly partition: Partition;
  readonly #empty = deferred<undefined>();
  #held: Held[] = [];
  #handling = 0;
  #characters = 0;
  /** The last offset that was advanced to. */
  #told: string | undefined;

  constructor({ topic, partition }: Partition) {
    this.partition = { topic, partition };
  }

  /** Resolves when nothing is in hand any more, or nobody asks for it. */
  get empty(): Promise<unknown> {
    return this.#empty.promise;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Whether a handler has something of it. */
  get isHandling(): boolean {
    return this.#handling > 0;
  }

  /** Of all batches that are not handled in full. */
  get characters(): number {
    return this.#characters;
  }

  add(batch: IncomingBatch, progress: BatchProgress): Piece {
    const characters = charactersOf(batch);
    const state = { handledOffset: undefined, isFailed: false };
    const held: Held = { rest: batch.messages, progress, characters, ...state };
    this.#held.push(held);
    this.#characters += characters;
    progress.taken(characters);
    return held;
  }

  /** Nobody has a use for the rest of it. */
  leave(): void {
    this.#empty.resolve(undefined);
  }

  begin(): void {
    this.#handling += 1;
  }

  end(): void {
    this.#handling -= 1;
  }

  /** Those of which something failed, in the order they came. */
  get failed(): readonly Piece[] {
    return this.#held.filter((held) => held.isFailed);
  }

  /** Of what the pieces still had, one after the other, so many messages are handled. */
  handled(pieces: readonly Piece[], processed: number): void {
    let left = Math.max(0, processed);
    for (const held of pieces as readonly Held[]) {
      const done = Math.min(left, held.rest.length);
      left -= done;
      this.#done(held, done);
    }
    this.#advance();
  }

  #done(held: Held, count: number): void {
    const last = held.rest[count - 1];
    if (last) held.handledOffset = last.offset;
    held.rest = held.rest.slice(count);
    held.isFailed = held.rest.length > 0;
    if (held.isFailed) return;
    this.#characters -= held.characters;
    held.characters = 0;
  }

  #advance(): void {
    let last: Held | undefined;
    for (let first = this.#held[0]; first; first = this.#held[0]) {
      if (first.handledOffset !== undefined) last = first;
      if (first.rest.length > 0) break;
      this.#held.shift();
    }
    if (last?.handledOffset !== undefined && last.handledOffset !== this.#told) {
      this.#told = last.handledOffset;
      last.progress.advance(last.handledOffset);
    }
    if (this.isEmpty) this.#empty.resolve(undefined);
  }
}

/** Of all its messages. */
function charactersOf({ messages }: IncomingBatch): number {
  return messages.reduce((sum, { value }) => sum + value.length, 0);
}
