import { beforeEach, describe, expect, it } from '@jest/globals';
import { QueueFullError } from '@surety/runtime';
import type { Clock } from '@surety/runtime';
import { Admissions } from './admissions.js';

interface Wish {
  readonly id: string;
  readonly to: number;
}

/** Time that goes on a millisecond at a time. */
class SteppedClock implements Clock {
  ms = 1_000_000;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  readonly nowMs = (): number => this.ms;
  readonly random = (): number => 0;
  readonly soon = (run: () => void): void => {
    run();
  };
  readonly after = (ms: number, run: () => void): (() => void) => {
    this.#timers.push({ atMs: this.ms + ms, run });
    return () => undefined;
  };

  async step(): Promise<void> {
    this.ms += 1;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.ms);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.ms);
    for (const { run } of due) run();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('admission by where transfers go', () => {
  let clock: SteppedClock;
  let admissions: Admissions;
  let stored: Wish[][];

  beforeEach(() => {
    clock = new SteppedClock();
    admissions = new Admissions(clock);
    stored = [];
  });

  const admit = (wishes: readonly Wish[]): Promise<readonly PromiseSettledResult<string>[]> =>
    admissions.admit(wishes, {
      shardOf: ({ to }) => to,
      store: (admitted) => {
        stored.push([...admitted]);
        return Promise.resolve(admitted.map(({ id }) => ({ status: 'fulfilled', value: id })));
      },
      acceptedOf: (id) => [id],
    });

  const wishes = (count: number, to: number): Wish[] =>
    Array.from({ length: count }, (_, n) => ({ id: `${to}-${stored.length}-${n}`, to }));

  it('takes what goes to a shard that answers as before while another is away', async () => {
    const ending: { readonly atMs: number; readonly id: string }[] = [];
    const accepted = [0, 0];
    const endsAfterMs = 100;
    for (let at = 0; at < 4_000; at += 1) {
      await clock.step();
      while ((ending[0]?.atMs ?? Infinity) <= clock.ms) {
        admissions.ended([ending.shift()!.id]);
      }
      const to = at % 2;
      void admit([{ id: `t-${at}`, to }]).then(([outcome]) => {
        if (outcome?.status !== 'fulfilled') return;
        accepted[to] = (accepted[to] ?? 0) + 1;
        if (to === 0) ending.push({ atMs: clock.ms + endsAfterMs, id: outcome.value });
      });
    }
    expect(accepted[0]).toBe(2_000);
  });

  it('keeps the order of what comes together, and stores it together', async () => {
    const mixed = [
      ...wishes(2, 1),
      ...wishes(2, 0),
      ...wishes(1, 1).map(() => ({ id: 'l', to: 1 })),
    ];
    const outcomes = await admit(mixed);
    expect(outcomes).toEqual(mixed.map(({ id }) => ({ status: 'fulfilled', value: id })));
    expect(stored).toEqual([mixed]);
  });

  it('rejects only those whose door too many wait at', async () => {
    await admit(wishes(256, 0));
    const waiting = admit(wishes(300, 0));
    await clock.step();
    const outcomes = await admit([
      { id: 'no', to: 0 },
      { id: 'yes', to: 1 },
    ]);
    expect(outcomes).toEqual([
      { status: 'rejected', reason: expect.any(QueueFullError) },
      { status: 'fulfilled', value: 'yes' },
    ]);
    admissions.ended(stored[0]!.map(({ id }) => id));
    expect((await waiting).every(({ status }) => status === 'fulfilled')).toBe(true);
  });

  it('turns away beforehand only where every door would', async () => {
    await admit(wishes(256, 0));
    void admit(wishes(300, 0));
    await clock.step();
    expect(() => {
      admissions.turnAway([0, 1]);
    }).not.toThrow();
    await admit(wishes(256, 1));
    void admit(wishes(300, 1));
    await clock.step();
    expect(() => {
      admissions.turnAway([0, 1]);
    }).toThrow(QueueFullError);
  });

  it('lets nothing wait where there is nothing to let in', async () => {
    await admit(wishes(256, 0));
    void admit(wishes(300, 0));
    expect(await admit([])).toEqual([]);
  });
});
