import { beforeEach, describe, expect, it } from '@jest/globals';
import { QueueFullError } from '@surety/runtime';
import type { Clock } from '@surety/runtime';
import { Admission } from './admission.js';
import type { Party } from './admission.js';
import { EarlyEnds } from './early-ends.js';

/** Time that goes on when it is told to. */
class ManualClock implements Clock {
  ms = 1_000_000;
  #timers: { atMs: number; run: () => void }[] = [];

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

  pass(ms: number): void {
    const until = this.ms + ms;
    for (;;) {
      const next = this.#timers.sort((a, b) => a.atMs - b.atMs)[0];
      if (!next || next.atMs > until) break;
      this.#timers.shift();
      this.ms = Math.max(this.ms, next.atMs);
      next.run();
    }
    this.ms = until;
  }
}

describe('admission', () => {
  let clock: ManualClock;
  let admission: Admission;
  let early: EarlyEnds;
  let next: number;

  beforeEach(() => {
    clock = new ManualClock();
    early = new EarlyEnds();
    admission = new Admission({
      clock,
      early,
      sourceOf: (id) => (id.startsWith('other') ? 1 : 0),
    });
    next = 0;
  });

  async function accept(count: number, source = 't'): Promise<string[]> {
    const ids = Array.from({ length: count }, () => `${source}-${(next += 1)}`);
    await admission.enter(count);
    admission.left(count, ids);
    return ids;
  }

  /** Rings the ends of one second, a tenth of them each tenth of it. */
  function endIn(ids: readonly string[], overMs: number): void {
    const parts = 10;
    for (let part = 0; part < parts; part += 1) {
      clock.pass(overMs / parts);
      const from = Math.floor((ids.length * part) / parts);
      admission.ended(ids.slice(from, Math.floor((ids.length * (part + 1)) / parts)));
    }
  }

  function entering(count = 1, party?: Party): { isIn: boolean; failure: unknown } {
    const state: { isIn: boolean; failure: unknown } = { isIn: false, failure: undefined };
    admission.enter(count, party).then(
      () => (state.isIn = true),
      (error: unknown) => (state.failure = error),
    );
    return state;
  }

  /** Before which of so many that come one after the other the question is answered with yes. */
  function heldBefore(coming: number, question: () => boolean): number[] {
    const numbers: number[] = [];
    for (let number = 1; number <= coming; number += 1) {
      if (question()) numbers.push(number);
      void entering();
    }
    return numbers;
  }

  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('lets a burst into an idle system at once, up to its floor', async () => {
    await accept(256);
    const over = entering();
    await settled();
    expect([over.isIn, admission.underWay]).toEqual([false, 256]);
  });

  it('lets the next one in when one ends', async () => {
    const ids = await accept(256);
    const over = entering();
    clock.pass(100);
    admission.ended(ids.slice(0, 1));
    await settled();
    expect(over.isIn).toBe(true);
  });

  it('has as many under way as the chain ends in 0.4 s', async () => {
    const first = await accept(256);
    endIn(first, 250);
    for (let round = 0; round < 12; round += 1) endIn(await accept(200), 100);
    // Two thousand a second end: about eight hundred may be under way.
    await accept(700);
    const last = entering(150);
    const over = entering();
    await settled();
    expect([last.isIn, over.isIn]).toEqual([true, false]);
  });

  it('knows the rate from ends that were heard early, too', async () => {
    const ids = Array.from({ length: 1_000 }, (_, n) => `early-${n}`);
    early.remember(ids);
    await admission.enter(1_000);
    admission.left(1_000, ids);
    await accept(399);
    const last = entering();
    const over = entering();
    await settled();
    expect([last.isIn, over.isIn]).toEqual([true, false]);
  });

  it('turns away who would wait too long', async () => {
    await accept(256);
    const waiters = Array.from({ length: 257 }, () => entering());
    const over = entering();
    await settled();
    expect(waiters.some(({ failure }) => failure !== undefined)).toBe(false);
    expect(over.failure).toBeInstanceOf(QueueFullError);
  });

  it('tells beforehand who would be turned away, and nobody else', async () => {
    const ids = await accept(256);
    expect(heldBefore(258, () => admission.isFull('single'))).toEqual([258]);
    expect(admission.isFull('single')).toBe(true);
    clock.pass(100);
    admission.ended(ids);
    await settled();
    expect(admission.isFull('single')).toBe(false);
  });

  it('is crowded when five eighths of the room are taken, and takes in who comes all the same', async () => {
    const ids = await accept(256);
    expect(heldBefore(162, () => admission.isCrowded('single'))).toEqual([162]);
    expect([admission.isFull('single'), admission.isCrowded('batch')]).toEqual([false, false]);
    const another = entering();
    clock.pass(100);
    admission.ended(ids);
    await settled();
    expect(another).toEqual({ isIn: true, failure: undefined });
    expect(admission.isCrowded('single')).toBe(false);
  });

  it('is crowded the later, the more the chain ends', async () => {
    const first = await accept(256);
    endIn(first, 250);
    for (let round = 0; round < 12; round += 1) endIn(await accept(200), 100);
    const { underWay } = admission;
    await accept(825 - underWay);
    // Two thousand a second end: some five hundred may wait, five eighths of them are 320.
    for (let count = 0; count < 300; count += 1) void entering();
    expect(admission.isCrowded('single')).toBe(false);
    for (let count = 0; count < 50; count += 1) void entering();
    expect([admission.isCrowded('single'), admission.isFull('single')]).toEqual([true, false]);
  });

  it('keeps room to wait in for single requests while batches wait, and for batches', async () => {
    await accept(256);
    const batch = entering(1_100, 'batch');
    const singles = Array.from({ length: 257 }, () => entering());
    await settled();
    expect([batch, ...singles].some(({ failure }) => failure !== undefined)).toBe(false);
    expect([admission.isFull('batch'), admission.isFull('single')]).toEqual([true, true]);
    const [otherBatch, single] = [entering(2, 'batch'), entering()];
    await settled();
    expect(otherBatch.failure).toBeInstanceOf(QueueFullError);
    expect(single.failure).toBeInstanceOf(QueueFullError);
  });

  it('lets batches and single requests in as they came', async () => {
    const ids = await accept(256);
    const first = entering();
    const batch = entering(500, 'batch');
    const last = entering();
    admission.ended(ids.slice(0, 2));
    await settled();
    expect([first.isIn, batch.isIn, last.isIn]).toEqual([true, true, false]);
    admission.left(501, []);
    await settled();
    expect(last.isIn).toBe(true);
  });

  it('closes nothing where no end is heard: that is an outage, and what is accepted is safe', async () => {
    await accept(256);
    clock.pass(100);
    const waiting = entering();
    clock.pass(2_200);
    await settled();
    expect(waiting.isIn).toBe(true);
    await accept(5_000);
    expect(admission.underWay).toBe(5_257);
  });

  it('does not count for ever what is held up by something else', async () => {
    const stuck = await accept(200);
    for (let round = 0; round < 110; round += 1) endIn(await accept(10), 100);
    expect(stuck).toHaveLength(200);
    await accept(255);
    const over = entering();
    await settled();
    expect(over.isIn).toBe(true);
  });

  it('counts nothing for longer than ten seconds, even if its source ends its own in their order', async () => {
    const slow = await accept(500);
    const endOver = (ms: number): void => {
      for (let ended = 0; ended < ms / 100; ended += 1) {
        clock.pass(100);
        admission.ended(slow.splice(0, 1));
      }
    };
    endOver(9_900);
    const before = entering();
    await settled();
    expect(before.isIn).toBe(false);
    endOver(200);
    const after = entering();
    await settled();
    expect(after.isIn).toBe(true);
  });

  it('lets nobody wait for long behind ends that were not heard, though one breaks the silence', async () => {
    const [straggler] = await accept(300);
    const waiting = entering();
    clock.pass(900);
    admission.ended([straggler!]);
    clock.pass(100);
    await settled();
    expect(waiting.isIn).toBe(true);
    admission.left(1, ['probe']);
    const followers = Array.from({ length: 200 }, () => entering());
    clock.pass(50);
    admission.ended(['probe']);
    clock.pass(100);
    await settled();
    expect(followers.every(({ isIn }) => isIn)).toBe(true);
    expect(admission.underWay).toBe(200);
  });

  it('sends one probe a second, and no more, where all are truly held up', async () => {
    const ids = await accept(300);
    const waiting = Array.from({ length: 100 }, () => entering());
    for (let tenth = 0; tenth < 35; tenth += 1) {
      clock.pass(100);
      admission.ended(ids.splice(0, 1));
    }
    await settled();
    expect(waiting.filter(({ isIn }) => isIn)).toHaveLength(3);
  });

  it('sends the first single request as a probe, though a batch came before it', async () => {
    const ids = await accept(1_000);
    const [batch, single, other] = [entering(10, 'batch'), entering(), entering()];
    for (let tenth = 0; tenth < 11; tenth += 1) {
      clock.pass(100);
      admission.ended(ids.splice(0, 1));
    }
    await settled();
    expect([batch.isIn, single.isIn, other.isIn]).toEqual([false, true, false]);
  });

  it('lets no batches pile up as probes: the more is under way, the rarer they are', async () => {
    const ids = await accept(1_000);
    let isOver = false;
    const inside: string[] = [];
    const another = async (): Promise<void> => {
      await admission.enter(1_000, 'batch');
      if (isOver) return;
      const batch = Array.from({ length: 1_000 }, () => `t-${(next += 1)}`);
      inside.push(...batch);
      admission.left(1_000, batch);
      await another();
    };
    void another();
    for (let tenth = 0; tenth < 600; tenth += 1) {
      clock.pass(100);
      admission.ended([...ids, ...inside].slice(tenth * 20, tenth * 20 + 20));
      await settled();
    }
    isOver = true;
    // Two hundred a second end, in their order.
    expect(inside.length).toBeLessThan(60 * 200 + 2_000);
    expect(inside.length).toBeGreaterThan(60 * 200 - 2_000);
  });

  it('counts what a slow source has under way as long as it ends its own in their order', async () => {
    const slow = await accept(300, 'other');
    for (let tenth = 0; tenth < 40; tenth += 1) {
      // Those of the other source are let in by the side, and end at once.
      admission.left(0, [`t-${tenth}`]);
      clock.pass(100);
      admission.ended([`t-${tenth}`, ...slow.splice(0, 1)]);
    }
    const over = entering();
    await settled();
    expect([over.isIn, admission.underWay]).toEqual([false, 260]);
  });

  it('does not count what a source has under way that ends nothing while others do', async () => {
    await accept(300, 'other');
    for (let tenth = 0; tenth < 22; tenth += 1) {
      admission.left(0, [`t-${tenth}`]);
      clock.pass(100);
      admission.ended([`t-${tenth}`]);
    }
    const over = entering();
    await settled();
    expect(over.isIn).toBe(true);
  });

  it('forgets who failed, and ends of others', async () => {
    await admission.enter(256);
    admission.left(256, []);
    admission.ended(['of-another-process']);
    expect(admission.underWay).toBe(0);
  });
});
