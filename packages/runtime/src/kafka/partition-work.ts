import { deferred } from './deferred.js';
import type { Partition } from './partitions.js';
import type { IncomingBatch, IncomingMessage } from './ports.js';

/** A batch in hand: what of it is still to be handled. */
export interface Piece {
  readonly rest: readonly IncomingMessage[];
}

/**
 * Nothing of the library's is kept beside the messages: what it hands over points to whole answers of
 * the broker, with the batches of all partitions in them.
 */
interface Held extends Piece {
  rest: readonly IncomingMessage[];
  /** The last message that is handled, from the front; undefined where none is. */
  handledOffset: string | undefined;
  characters: number;
  isFailed: boolean;
}

/**
 * What of one partition is in hand, from the first batch to the moment at which nothing is. Batches
 * are handled in any order; what is told is how far they are handled without a gap.
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

  /** How many batches are remembered, those that wait for others to be handled before them included. */
  get batchCount(): number {
    return this.#held.length;
  }

  /** Whether a handler has something of it. */
  get isHandling(): boolean {
    return this.#handling > 0;
  }

  /** Of all batches that are not handled in full. */
  get characters(): number {
    return this.#characters;
  }

  /** @param characters of all its messages */
  add({ messages }: IncomingBatch, characters: number): Piece {
    const held: Held = { rest: messages, characters, handledOffset: undefined, isFailed: false };
    this.#held.push(held);
    this.#characters += characters;
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

  /**
   * Of what the pieces still had, one after the other, so many messages are handled.
   * @returns the last offset up to which everything is, where that is further than it was
   */
  handled(pieces: readonly Piece[], processed: number): string | undefined {
    let left = Math.max(0, processed);
    for (const held of pieces as readonly Held[]) {
      const done = Math.min(left, held.rest.length);
      left -= done;
      this.#done(held, done);
    }
    this.#held = this.#held.filter((held, at) => !isCovered(held, this.#held[at + 1]));
    return this.#advance();
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

  #advance(): string | undefined {
    let offset: string | undefined;
    for (let first = this.#held[0]; first; first = this.#held[0]) {
      offset = first.handledOffset ?? offset;
      // It is told once.
      first.handledOffset = undefined;
      if (first.rest.length > 0) break;
      this.#held.shift();
    }
    if (this.isEmpty) this.#empty.resolve(undefined);
    return offset;
  }
}

/**
 * The end of the next one says as much: behind a batch that fails for long, what is handled does not
 * pile up.
 */
function isCovered(held: Held, next: Held | undefined): boolean {
  return held.rest.length === 0 && next?.rest.length === 0 && next.handledOffset !== undefined;
}
