import { describe, expect, it } from '@jest/globals';
import type { BalanceRow } from '@surety/db';
import { REAL_CLOCK } from '@surety/runtime';
import { BalanceCopyQueue } from './balance-copy-queue.js';

function row(accountId: string, version = 1n): BalanceRow {
  const updatedAt = '2026-01-31T10:15:30.000000Z';
  return { accountId, slot: 1, balance: 5n, held: 0n, version, updatedAt, currency: 'EUR' };
}

const rows = (count: number, version = 1n): readonly BalanceRow[] =>
  Array.from({ length: count }, (_, n) => row(`a${n}`, version));

/** A Redis that answers when the spec says so, and a clock that stands still until then. */
function scene() {
  const calls: string[][] = [];
  const answers: ((isWritten: boolean) => void)[] = [];
  const rests: number[] = [];
  let wake: () => void = () => undefined;
  const queue = new BalanceCopyQueue({
    write: (written) => {
      calls.push(written.map(({ accountId, version }) => `${accountId} ${version}`));
      return new Promise((resolve) => answers.push(resolve));
    },
    clock: {
      ...REAL_CLOCK,
      after: (ms, run) => {
        rests.push(ms);
        wake = run;
        return () => undefined;
      },
    },
  });
  const answer = async (isWritten: boolean): Promise<void> => {
    answers.shift()?.(isWritten);
    await settled();
  };
  const rested = async (): Promise<void> => {
    wake();
    await settled();
  };
  return { queue, calls, rests, answer, rested };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the copies that wait', () => {
  it('are written one call after the other, the newest of each account', async () => {
    const { queue, calls, answer } = scene();
    queue.add([row('a'), row('b')]);
    queue.add([row('a', 3n)]);
    queue.add([row('a', 2n), row('c')]);
    expect(calls).toEqual([['a 1', 'b 1']]);
    await answer(true);
    expect(calls.slice(1)).toEqual([['a 3', 'c 1']]);
    await answer(true);
    queue.add([]);
    queue.add([row('d')]);
    expect(calls.slice(2)).toEqual([['d 1']]);
  });

  it('are tried again after a rest, with what came meanwhile', async () => {
    const { queue, calls, rests, answer, rested } = scene();
    queue.add([row('a'), row('b')]);
    await answer(false);
    queue.add([row('a', 2n)]);
    expect([calls.length, rests]).toEqual([1, [1_000]]);
    await rested();
    expect(calls[1]).toEqual(['b 1', 'a 2']);
    await answer(false);
    await rested();
    await answer(true);
    expect(calls).toHaveLength(3);
    await queue.stop();
  });

  it('are written by the thousand', async () => {
    const { queue, calls, answer } = scene();
    queue.add(rows(2_500));
    await answer(true);
    await answer(true);
    await answer(true);
    expect(calls.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
  });

  it.each([
    [20_000, 0],
    [20_001, 1],
    [21_500, 1_500],
  ])('of %i accounts leave out %i: those that have not changed for longest', async (...limits) => {
    const [count, expected] = limits;
    const { queue, calls, answer, rested } = scene();
    queue.add(rows(1));
    await answer(false);
    expect(queue.add(rows(count))).toBe(expected);
    await rested();
    expect(calls[1]?.[0]).toBe(`a${expected} 1`);
  });

  it('are tried once more by a stop, which then gives them up', async () => {
    const { queue, calls, answer } = scene();
    queue.add([row('a')]);
    await answer(false);
    const stopped = queue.stop();
    await settled();
    expect(calls).toHaveLength(2);
    await answer(false);
    await stopped;
    expect(calls).toHaveLength(2);
  });

  it('are all written by a stop where Redis is there', async () => {
    const { queue, calls, answer } = scene();
    queue.add(rows(1_500));
    const stopped = queue.stop();
    await answer(true);
    await answer(true);
    await stopped;
    expect(calls.map(({ length }) => length)).toEqual([1_000, 500]);
  });
});
