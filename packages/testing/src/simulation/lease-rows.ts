import type { Lease } from '@surety/runtime';
import type { Life } from './process.js';
import type { SimulatedShard } from './simulated-shard.js';

interface LeaseRow {
  readonly holder: Life;
  readonly token: bigint;
  readonly expiresAtMs: number;
}

export interface LeaseWish {
  readonly name: string;
  readonly ttlMs: number;
  /** Where it is not exclusive everybody who asks has it: the worst that a lost lease allows. */
  readonly isExclusive: boolean;
}

/** The leases of one shard, with the rules of its table and the time of its database. */
export class LeaseRows {
  readonly #shard: SimulatedShard;
  readonly #rows = new Map<string, LeaseRow>();

  constructor(shard: SimulatedShard) {
    this.#shard = shard;
  }

  /** As one life of a process asks for it. */
  leaseFor(life: Life, { name, ttlMs, isExclusive }: LeaseWish): Lease {
    const statement = <R>(run: () => R): Promise<R> => this.#shard.statement(life, run);
    const write = (token: bigint): bigint => {
      const expiresAtMs = this.#shard.databaseNowMs() + ttlMs;
      this.#rows.set(name, { holder: life, token, expiresAtMs });
      this.#shard.rows.leases.set(name, token);
      return token;
    };
    return {
      acquire: () =>
        statement(() => {
          const row = this.#rows.get(name);
          const isAnothers = row !== undefined && row.holder !== life;
          if (isAnothers && isExclusive && this.#isHeld(row)) return undefined;
          if (isAnothers && !row.holder.isOver) life.kernel.faults.count('lease_changed_hands');
          return write(isExclusive ? (row?.token ?? 0n) + 1n : 1n);
        }),
      renew: (token) =>
        statement(() => {
          if (!isExclusive) return true;
          const row = this.#rows.get(name);
          if (!row || row.holder !== life || row.token !== token) return false;
          if (!this.#isHeld(row)) return false;
          write(token);
          return true;
        }),
      release: (token) =>
        statement(() => {
          const row = this.#rows.get(name);
          if (row?.token === token) this.#rows.set(name, { ...row, expiresAtMs: 0 });
        }),
    };
  }

  #isHeld({ expiresAtMs }: LeaseRow): boolean {
    return expiresAtMs > this.#shard.databaseNowMs();
  }
}
