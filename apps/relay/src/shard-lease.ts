import type { Lease } from './outbox-port.js';

export interface ShardLeaseOptions {
  readonly lease: Lease;
  readonly ttlMs: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/**
 * Says whether this process is the one that relays a shard. Two that both believe it only cause
 * duplicates, so nothing is fenced by the token; a new token only tells that somebody else may have
 * relayed meanwhile.
 */
export class ShardLease {
  readonly #options: ShardLeaseOptions;
  #token: bigint | undefined;
  #heldUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: ShardLeaseOptions) {
    this.#options = options;
  }

  /** The token of the holding, or undefined while the lease is not held. */
  get token(): bigint | undefined {
    return this.#options.nowMs() < this.#heldUntilMs ? this.#token : undefined;
  }

  /** Renews what is held and acquires what is not. One call at a time. */
  async keep(): Promise<void> {
    const { lease, ttlMs, nowMs } = this.#options;
    // Counted from before the request left: a slow answer never stretches the holding.
    const askedAtMs = nowMs();
    const token = this.#token;
    if (token !== undefined && (await lease.renew(token))) {
      this.#heldUntilMs = askedAtMs + ttlMs;
      return;
    }
    this.#token = undefined;
    this.#token = await lease.acquire();
    this.#heldUntilMs = this.#token === undefined ? Number.NEGATIVE_INFINITY : askedAtMs + ttlMs;
  }

  /** Gives it back, so that the next holder need not wait for its end. */
  async release(): Promise<void> {
    const token = this.#token;
    this.#token = undefined;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    if (token !== undefined) await this.#options.lease.release(token);
  }
}
