import { deferred } from './deferred.js';
import type { Partition } from './partitions.js';
import type { IncomingBatch, IncomingMessage } from './ports.js';

/**
 * A batch in hand. Nothing of the library's is kept beside the messages: what it hands over points to
 * whole answers of the broker, with the batches of all partitions in them.
 */
export class Piece {
  #rest: readonly IncomingMessage[];
  #characters: number;
  #isFailed = false;
  /** Of the last message that is handled, from the front, unless it was told. */
  #offset: string | undefined;

  /** @param characters of all its messages */
  constructor(messages: readonly IncomingMessage[], characters: number) {
    this.#rest = messages;
    this.#characters = characters;
  }

  /** What of it is still to be handled. */
  get rest(): readonly IncomingMessage[] {
    return this.#rest;
  }

  get isHandled(): boolean {
    return this.#rest.length === 0;
  }

  get isFailed(): boolean {
    return this.#isFailed;
  }

  get hasOffset(): boolean {
    return this.#offset !== undefined;
  }

  /**
   * So many of the rest are handled, from the front; what is left has failed.
   * @returns the characters of all its messages once none is left, and only once
   */
  handle(count: number): number {
    this.#offset = this.#rest[count - 1]?.offset ?? this.#offset;
    this.#rest = this.#rest.slice(count);
    this.#isFailed = !this.isHandled;
    if (this.#isFailed) return 0;
    const characters = this.#characters;
    this.#characters = 0;
    return characters;
  }

  /** How far it is handled, where that is further than was told before. */
  tellOffset(): string | undefined {
    const offset = this.#offset;
    this.#offset = undefined;
    return offset;
  }
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
  #held: Piece[] = [];
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
    const piece = new Piece(messages, characters);
    this.#held.push(piece);
    this.#characters += characters;
    return piece;
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
    return this.#held.filter((piece) => piece.isFailed);
  }

  /**
   * Of what the pieces still had, one after the other, so many messages are handled.
   * @returns the last offset up to which everything is, where that is further than it was
   */
  handled(pieces: readonly Piece[], processed: number): string | undefined {
    let left = Math.max(0, processed);
    for (const piece of pieces) {
      const done = Math.min(left, piece.rest.length);
      left -= done;
      this.#characters -= piece.handle(done);
    }
    this.#held = this.#held.filter((piece, at) => !isCovered(piece, this.#held[at + 1]));
    return this.#advance();
  }

  #advance(): string | undefined {
    let offset: string | undefined;
    for (let first = this.#held[0]; first; first = this.#held[0]) {
      offset = first.tellOffset() ?? offset;
      if (!first.isHandled) break;
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
function isCovered(piece: Piece, next: Piece | undefined): boolean {
  return piece.isHandled && next !== undefined && next.isHandled && next.hasOffset;
}
