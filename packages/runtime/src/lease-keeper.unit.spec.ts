import { describe, expect, it } from '@jest/globals';
import { LeaseKeeper } from './lease-keeper.js';
import type { Lease } from './lease-keeper.js';

class TableOfOne implements Lease {
  token = 0n;
  holder: 'us' | 'another' | undefined;
  fails = false;
  readonly released: bigint[] = [];

  async acquire(): Promise<bigint | undefined> {
    if (this.fails) throw new Error('away');
    if (this.holder === 'another') return undefined;
    this.holder = 'us';
    this.token += 1n;
    return this.token;
  }

  async renew(token: bigint): Promise<boolean> {
    if (this.fails) throw new Error('away');
    return this.holder === 'us' && token === this.token;
  }

  async release(token: bigint): Promise<void> {
    this.released.push(token);
    if (token === this.token) this.holder = undefined;
  }
}

function setUp() {
  const clock = { ms: 0 };
  const lease = new TableOfOne();
  const keeper = new LeaseKeeper({ lease, ttlMs: 6000, nowMs: () => clock.ms });
  return { clock, lease, keeper };
}

describe('LeaseKeeper', () => {
  it('holds nothing before it asked', () => {
    const { keeper } = setUp();
    expect(keeper.isHeld).toBe(false);
    expect(keeper.token).toBeUndefined();
  });

  it('remembers the token of its holding', async () => {
    const { keeper } = setUp();
    await keeper.keep();
    expect(keeper.token).toBe(1n);
  });

  it('holds nothing while another one does', async () => {
    const { keeper, lease } = setUp();
    lease.holder = 'another';
    await keeper.keep();
    expect(keeper.isHeld).toBe(false);
    expect(keeper.token).toBeUndefined();
  });

  it('counts itself out when its time is over, whatever the table says', async () => {
    const { keeper, clock, lease } = setUp();
    await keeper.keep();
    lease.fails = true;
    clock.ms = 5999;
    await expect(keeper.keep()).rejects.toThrow('away');
    expect(keeper.token).toBe(1n);
    clock.ms = 6000;
    expect(keeper.isHeld).toBe(false);
    expect(keeper.token).toBeUndefined();
  });

  it('prolongs its holding without a new token', async () => {
    const { keeper, clock } = setUp();
    await keeper.keep();
    clock.ms = 4000;
    await keeper.keep();
    clock.ms = 9999;
    expect(keeper.token).toBe(1n);
  });

  it('notices that the lease went to another one', async () => {
    const { keeper, lease } = setUp();
    await keeper.keep();
    lease.holder = 'another';
    await keeper.keep();
    expect(keeper.isHeld).toBe(false);
  });

  it('takes a higher token when it comes back', async () => {
    const { keeper, lease } = setUp();
    await keeper.keep();
    lease.holder = undefined;
    await keeper.keep();
    expect(keeper.token).toBe(2n);
  });

  it('takes a higher token at once where its holding was lost and is free again', async () => {
    const { keeper, lease } = setUp();
    await keeper.keep();
    lease.token = 9n;
    await keeper.keep();
    expect(keeper.token).toBe(10n);
  });

  it('asks once for all who ask at the same time', async () => {
    const { keeper, lease } = setUp();
    await Promise.all([keeper.keep(), keeper.keep()]);
    expect(lease.token).toBe(1n);
  });

  it('gives back what it holds, once', async () => {
    const { keeper, lease } = setUp();
    await keeper.keep();
    await keeper.release();
    await keeper.release();
    expect(lease.released).toEqual([1n]);
    expect(lease.holder).toBeUndefined();
    expect(keeper.isHeld).toBe(false);
  });

  it('is over where a database knows a newer holding, and asks anew', async () => {
    const { keeper, lease } = setUp();
    await keeper.keep();
    keeper.lost(1n);
    expect(keeper.isHeld).toBe(false);
    lease.holder = 'another';
    await keeper.keep();
    expect(keeper.isHeld).toBe(false);
    await keeper.release();
    expect(lease.released).toEqual([]);
  });

  it('does not lose a later holding for the word about an earlier one', async () => {
    const { keeper } = setUp();
    await keeper.keep();
    keeper.lost(1n);
    await keeper.keep();
    keeper.lost(1n);
    expect(keeper.token).toBe(2n);
  });
});
