/** A row of `leases` on one shard, for one holder. Its times are the database's. */
export interface Lease {
  /** The token of the new holding, or undefined while somebody else holds the lease. */
  acquire(): Promise<bigint | undefined>;
  /** False where the lease went to somebody else meanwhile. */
  renew(token: bigint): Promise<boolean>;
  release(token: bigint): Promise<void>;
}

export interface LeaseKeeperOptions {
  readonly lease: Lease;
  readonly ttlMs: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/**
 * Keeps one lease for as long as the process lives. It is held or not held: an acquisition makes it
 * held, a renewal prolongs that, and a lost race, a release, the end of the time to live or the
 * word of a database that knows a newer holding (`lost`) ends it.
 * Two processes may both believe for a while that they hold it: one that was paused cannot know how
 * long. Whoever must not write then hands the token to the database with its writes. A new token
 * tells that somebody else may have held the lease meanwhile.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #token: bigint | undefined;
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #inFlight: Promise<void> | undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  get isHeld(): boolean {
    return this.token !== undefined;
  }

  /** The token of the holding, which only rises: undefined while the lease is not held. */
  get token(): bigint | undefined {
    return this.#options.nowMs() < this.#heldUntilMs ? this.#token : undefined;
  }

  /** Renews what is held, acquires what is not. Calls at the same time share one round trip. */
  async keep(): Promise<void> {
    this.#inFlight ??= this.#keep().finally(() => {
      this.#inFlight = undefined;
    });
    await this.#inFlight;
  }

  /** A database refused this token for a newer one: the holding is over, whatever the clock says. */
  lost(token: bigint): void {
    if (this.#token === token) this.#lose();
  }

  /** Gives the lease back, so that the next holder need not wait for its end. */
  async release(): Promise<void> {
    await this.#inFlight?.catch(() => undefined);
    const token = this.#token;
    this.#lose();
    if (token !== undefined) await this.#options.lease.release(token);
  }

  async #keep(): Promise<void> {
    const { lease, ttlMs, nowMs } = this.#options;
    // Counted from before the request left: a slow answer never stretches the holding.
    const askedAtMs = nowMs();
    if (this.#token !== undefined) {
      if (await lease.renew(this.#token)) {
        this.#heldUntilMs = askedAtMs + ttlMs;
        return;
      }
      this.#lose();
    }
    this.#token = await lease.acquire();
    if (this.#token !== undefined) this.#heldUntilMs = askedAtMs + ttlMs;
  }

  #lose(): void {
    this.#token = undefined;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
  }
}
