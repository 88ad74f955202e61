import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ShardId } from '@surety/domain';
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
    const timer = { atMs: this.ms + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
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
    admissions = new Admissions(() => 0, clock);
    stored = [];
  });

  const admit = (wishes: readonly Wish[]): Promise<readonly PromiseSettledResult<string>[]> =>
    admissions.admit(wishes, {
      shardOf: ({ to }) => to,
      store: (admitted, tell) => {
        stored.push([...admitted]);
        tell(
          admitted,
          admitted.map(({ id }) => ({ status: 'fulfilled', value: id })),
        );
        return Promise.resolve();
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

  it('waits at all doors at once, and in one order', async () => {
    const first = [...wishes(256, 0), ...wishes(256, 1)];
    await admit(first);
    const batches = ['a', 'b'].map((id) => [0, 1].map((to) => ({ id: `${id}-${to}`, to })));
    for (const batch of batches) void admit(batch);
    const end = async (id: string): Promise<void> => {
      admissions.ended([id]);
      await clock.step();
    };
    await end('1-0-0');
    const late = [{ id: 'late', to: 1 }];
    void admit(late);
    await clock.step();
    expect(stored).toEqual([first]);
    // A batch that is inside at one door waits for nobody who came later.
    await end('0-0-0');
    expect(stored).toEqual([first, batches[0]]);
    await end('0-0-1');
    await end('1-0-1');
    expect(stored).toEqual([first, ...batches]);
    await end('1-0-2');
    expect(stored).toEqual([first, ...batches, late]);
  });

  it('takes what goes to a quick shard as before while batches wait for a slow one as well', async () => {
    const slow: string[] = [];
    const quick: { readonly atMs: number; readonly id: string }[] = [];
    const quickTakesMs = 100;
    const began = ({ to, id }: Wish): void => {
      if (to === 0) slow.push(id);
      else quick.push({ atMs: clock.ms + quickTakesMs, id });
    };
    const enterAlone = async (id: string): Promise<void> => {
      const door = admissions.of(1);
      await door.enter(1);
      door.left(1, [id]);
      began({ id, to: 1 });
      accepted += 1;
    };
    let accepted = 0;
    for (let at = 0; at < 10_000; at += 1) {
      await clock.step();
      if (at % 20 === 0 && slow.length > 0) admissions.ended([slow.shift()!]);
      while ((quick[0]?.atMs ?? Infinity) <= clock.ms) admissions.ended([quick.shift()!.id]);
      if (at % 2 === 0) enterAlone(`alone-${at}`).catch(() => undefined);
      if (at % 1_000 > 0) continue;
      const batch = Array.from({ length: 400 }, (_, n) => ({ id: `${at}-${n}`, to: n % 2 }));
      void admit(batch).then((outcomes) => {
        batch.forEach((wish, n) => outcomes[n]?.status === 'fulfilled' && began(wish));
      });
    }
    expect(accepted).toBeGreaterThan(4_950);
  });

  it('has its turn at a door once, though it did not hold its place there', async () => {
    const [away, working] = [admissions.of(0), admissions.of(1)];
    await admit(wishes(256, 0));
    const batch = [{ id: 'a', to: 0 }, ...wishes(300, 1)];
    void admit(batch);
    expect(working.underWay).toBe(300);
    for (let ms = 0; ms <= 250; ms += 1) await clock.step();
    expect(working.underWay).toBe(0);
    await working.enter(256);
    admissions.ended(['0-0-0']);
    await clock.step();
    expect(stored.at(-1)).toEqual(batch);
    expect([away.underWay, working.underWay]).toEqual([256, 556]);
  });

  it('rejects only those whose door too many wait at', async () => {
    await admit(wishes(256, 0));
    const waiting = admit(wishes(1_100, 0));
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

  it.each([
    ['single', 160],
    ['batch', 1_024],
  ] as const)('is crowded only where every door is: %s', async (party, room) => {
    const other = party === 'single' ? 'batch' : 'single';
    const waitAt = (door: ShardId, count: number): void => {
      for (let one = 0; one < count; one += 1) void admissions.of(door).enter(1, party);
    };
    await admit(wishes(256, 0));
    waitAt(0, room + 1);
    expect(admissions.areCrowded([0, 1], party)).toBe(false);
    await admit(wishes(256, 1));
    waitAt(1, room);
    expect(admissions.areCrowded([0, 1], party)).toBe(false);
    waitAt(1, 1);
    expect(admissions.areCrowded([0, 1], party)).toBe(true);
    expect(admissions.areCrowded([0, 1], other)).toBe(false);
    expect(admissions.of(0).isFull(party)).toBe(party === 'batch');
  });

  it('counts an end that was rung before it was told what became of the transfer', async () => {
    const door = admissions.of(0);
    await door.enter(300);
    admissions.ended(['early', 'of-another-process']);
    door.left(300, ['early', 'late']);
    expect(door.underWay).toBe(1);
    admissions.ended(['late', 'early']);
    expect(door.underWay).toBe(0);
  });

  it('tells an early end to the door of its transfer, whichever else hears it', async () => {
    await admissions.of(0).enter(1);
    await admissions.of(1).enter(1);
    admissions.ended(['b']);
    admissions.of(0).left(1, ['a']);
    admissions.of(1).left(1, ['b']);
    expect([admissions.of(0).underWay, admissions.of(1).underWay]).toEqual([1, 0]);
  });

  it('remembers no end while nobody enters', async () => {
    const door = admissions.of(0);
    admissions.ended(['unasked']);
    await door.enter(1);
    door.left(1, ['unasked']);
    expect(door.underWay).toBe(1);
  });

  it('remembers early ends of the last moments only', async () => {
    const door = admissions.of(0);
    await door.enter(2);
    admissions.ended(['oldest']);
    admissions.ended(Array.from({ length: 4_000 }, (_, n) => `other-${n}`));
    admissions.ended(['newest']);
    door.left(2, ['oldest', 'newest']);
    expect(door.underWay).toBe(1);
  });

  it('lets the parts of a batch leave as each is stored', async () => {
    let finish: () => void = () => undefined;
    const [quick, slow] = [
      { id: 'quick', to: 0 },
      { id: 'slow', to: 0 },
    ];
    const outcomes = admissions.admit([slow, quick], {
      shardOf: ({ to }) => to,
      store: async (_admitted, tell) => {
        tell([quick], [{ status: 'fulfilled', value: 'quick' }]);
        await new Promise<void>((resolve) => (finish = resolve));
        tell([slow], [{ status: 'rejected', reason: 'away' }]);
      },
      acceptedOf: (id: string) => [id],
    });
    await clock.step();
    admissions.ended(['quick']);
    expect(admissions.of(0).underWay).toBe(1);
    finish();
    expect(await outcomes).toEqual([
      { status: 'rejected', reason: 'away' },
      { status: 'fulfilled', value: 'quick' },
    ]);
    expect(admissions.of(0).underWay).toBe(0);
  });

  it('lets everybody leave where storing fails altogether', async () => {
    const failing = admissions.admit(wishes(5, 0), {
      shardOf: ({ to }) => to,
      store: () => Promise.reject(new Error('unforeseen')),
      acceptedOf: (id: string) => [id],
    });
    await expect(failing).rejects.toThrow('unforeseen');
    expect(admissions.of(0).underWay).toBe(0);
  });

  it('lets nothing wait where there is nothing to let in', async () => {
    await admit(wishes(256, 0));
    void admit(wishes(300, 0));
    expect(await admit([])).toEqual([]);
  });
});
