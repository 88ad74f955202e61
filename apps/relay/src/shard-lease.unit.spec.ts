import { describe, expect, it } from '@jest/globals';
import { ShardLease } from './shard-lease.js';

class LeaseDouble {
  token = 0n;
  isFree = true;
  isAway = false;
  readonly released: bigint[] = [];

  async acquire(): Promise<bigint | undefined> {
    this.refuseWhenAway();
    if (!this.isFree) return undefined;
    this.token += 1n;
    return this.token;
  }

  async renew(token: bigint): Promise<boolean> {
    this.refuseWhenAway();
    return this.isFree && token === this.token;
  }

  async release(token: bigint): Promise<void> {
    this.released.push(token);
  }

  private refuseWhenAway(): void {
    if (this.isAway) throw new Error('the shard is away');
  }
}

function scene() {
  const lease = new LeaseDouble();
  const clock = { nowMs: 0 };
  const held = new ShardLease({ lease, ttlMs: 6_000, nowMs: () => clock.nowMs });
  return { lease, clock, held };
}

describe('the lease of a shard', () => {
  it('is held from its acquisition on, with the same token while it is renewed', async () => {
    const { held } = scene();
    expect(held.token).toBeUndefined();
    await held.keep();
    await held.keep();
    expect(held.token).toBe(1n);
  });

  it('is not held while somebody else has it', async () => {
    const { held, lease } = scene();
    lease.isFree = false;
    await held.keep();
    expect(held.token).toBeUndefined();
  });

  it('survives a renewal that fails, until its time is over', async () => {
    const { held, lease, clock } = scene();
    await held.keep();
    lease.isAway = true;
    clock.nowMs = 5_999;
    await expect(held.keep()).rejects.toThrow('away');
    expect(held.token).toBe(1n);
    clock.nowMs = 6_000;
    expect(held.token).toBeUndefined();
  });

  it('has a new token after it was lost and taken again', async () => {
    const { held, lease } = scene();
    await held.keep();
    lease.token = 9n;
    await held.keep();
    expect(held.token).toBe(10n);
  });

  it('is given back once', async () => {
    const { held, lease } = scene();
    await held.keep();
    await held.release();
    await held.release();
    expect(lease.released).toEqual([1n]);
    expect(held.token).toBeUndefined();
  });
});
