import { describe, expect, it } from '@jest/globals';
import { Loop } from './loop.js';

const backoff = { minMs: 1, maxMs: 2 };

/** Resolves when the loop has run so often. */
function loopOf(runs: number, run: (turn: number) => void) {
  const failures: string[] = [];
  let turn = 0;
  let reached: () => void = () => undefined;
  const enough = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const loop = new Loop({
    intervalMs: 1,
    backoff,
    run: async () => {
      turn += 1;
      if (turn >= runs) reached();
      run(turn);
    },
    failed: (error, inARow) => failures.push(`${String(error)}, ${inARow} in a row`),
  });
  return { loop, failures, enough };
}

describe('Loop', () => {
  it('runs again and again until it is stopped', async () => {
    const { loop, enough } = loopOf(3, () => undefined);
    loop.start();
    await enough;
    await loop.stop();
    expect(loop.isStopping).toBe(true);
  });

  it('goes on after failures and hands each of them over', async () => {
    const { loop, failures, enough } = loopOf(4, (turn) => {
      if (turn < 4) throw new Error(`failure ${turn}`);
    });
    loop.start();
    await enough;
    await loop.stop();
    expect(failures).toEqual([
      'Error: failure 1, 1 in a row',
      'Error: failure 2, 2 in a row',
      'Error: failure 3, 3 in a row',
    ]);
  });

  it('counts failures in a row anew after a success', async () => {
    const { loop, failures, enough } = loopOf(4, (turn) => {
      if (turn % 2 === 1) throw new Error(`failure ${turn}`);
    });
    loop.start();
    await enough;
    await loop.stop();
    expect(failures).toEqual(['Error: failure 1, 1 in a row', 'Error: failure 3, 1 in a row']);
  });

  it('wakes out of its pause when it is stopped', async () => {
    let runs = 0;
    const loop = new Loop({
      intervalMs: 3_600_000,
      backoff,
      run: async () => {
        runs += 1;
      },
      failed: () => undefined,
    });
    loop.start();
    await loop.stop();
    expect(runs).toBe(1);
  });

  it('stops without ever having been started', async () => {
    const { loop } = loopOf(1, () => undefined);
    await expect(loop.stop()).resolves.toBeUndefined();
  });
});
