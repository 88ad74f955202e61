import { acquireLease, releaseLease, renewLease } from '@surety/db';
import type { Shard } from '@surety/db';
import type { Lease } from '@surety/runtime';

/** The name of the reconciler's row in `leases`, one per shard. */
export const LEASE_NAME = 'reconciler';

/** How long a reconciler that died keeps the next one waiting. */
export const LEASE_TTL_MS = 6_000;

/** Renewals within one time to live: two may fail before the lease is lost. */
export const LEASE_RENEWALS_PER_TTL = 3;

/** The lease of the sweeps of one shard, in the name of one process instance. */
export function reconcilerLease(shard: Shard, holder: string): Lease {
  const who = { name: LEASE_NAME, holder, ttlMs: LEASE_TTL_MS };
  return {
    acquire: async () => (await acquireLease(shard, who))?.token,
    renew: (token) => renewLease(shard, { ...who, token }),
    release: async (token) => {
      await releaseLease(shard, { ...who, token });
    },
  };
}
