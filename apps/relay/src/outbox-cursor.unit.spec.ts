import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OutboxCursor } from './outbox-cursor.js';
import type { OutboxRead } from './outbox-cursor.js';

/** An outbox table as a reader at a given time sees it, and the relay's round over it. */
class Scene {
  readonly cursor = new OutboxCursor();
  readonly taken: bigint[] = [];
  readonly scans: bigint[] = [];
  nowMs = 0;
  private readonly rows = new Set<bigint>();

  constructor() {
    this.cursor.restart(this.nowMs);
  }

  commit(...seqs: readonly bigint[]): void {
    for (const seq of seqs) this.rows.add(seq);
  }

  /** One round: read, publish, delete. Returns what was read. */
  round(rowsMax = 100): OutboxRead {
    const read = this.cursor.plan(this.nowMs);
    this.scans.push(read.afterSeq);
    const seqs = [...this.rows]
      .filter((seq) => seq > read.afterSeq)
      .sort((left, right) => (left < right ? -1 : 1))
      .slice(0, rowsMax);
    const foundGaps = read.gaps.filter((seq) => this.rows.has(seq));
    this.cursor.record(read, { seqs, foundGaps, isFull: seqs.length === rowsMax }, this.nowMs);
    for (const seq of new Set([...foundGaps, ...seqs])) {
      this.taken.push(seq);
      this.rows.delete(seq);
    }
    return read;
  }

  rounds(count: number, everyMs: number): void {
    for (let round = 0; round < count; round += 1) {
      this.nowMs += everyMs;
      this.round();
    }
  }
}

/** A scene whose first sweeps are over: only gaps and the minute's sweep are left. */
function settledScene(): Scene {
  const scene = new Scene();
  scene.commit(1n);
  scene.rounds(20, 1_000);
  return scene;
}

describe('the cursor over an outbox', () => {
  it('begins at the head', () => {
    expect(new Scene().cursor.plan(0)).toMatchObject({ afterSeq: 0n, isSweep: true });
  });

  it('reads on after the highest row, not from the head again', () => {
    const scene = settledScene();
    scene.commit(2n, 3n);
    scene.round();
    scene.nowMs += 5;
    expect(scene.cursor.plan(scene.nowMs)).toMatchObject({ afterSeq: 3n, isSweep: false });
  });

  it('asks for a number that it passed over, and takes it when it appears', () => {
    const scene = settledScene();
    scene.commit(2n, 5n);
    scene.round();
    scene.commit(3n);
    scene.nowMs += 5;
    expect(scene.round().gaps).toEqual([3n, 4n]);
    expect(scene.taken).toEqual([1n, 2n, 5n, 3n]);
    expect(scene.cursor.gapCount).toBe(1);
  });

  it('asks for a gap ever more seldom and gives it up after its life', () => {
    const scene = settledScene();
    scene.commit(3n);
    scene.round();
    let asked = 0;
    for (let ms = 0; ms < 16_500; ms += 5) {
      scene.nowMs += 5;
      if (scene.round().gaps.length > 0) asked += 1;
    }
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(40);
    expect(scene.cursor.gapCount).toBe(0);
  });

  it('takes a row that appears in the last moment of its gap', () => {
    const scene = settledScene();
    scene.commit(3n);
    scene.round();
    scene.nowMs += 15_000;
    scene.commit(2n);
    scene.round();
    expect(scene.taken).toContain(2n);
  });

  it('keeps a gap when the question was asked before its life was over', () => {
    const cursor = new OutboxCursor();
    cursor.restart(0);
    cursor.record(cursor.plan(0), { seqs: [1n], foundGaps: [], isFull: false }, 0);
    const second = { ...cursor.plan(10), isSweep: false };
    cursor.record(second, { seqs: [3n], foundGaps: [], isFull: false }, 10);
    // The answer to a question of t = 100 arrives after a long pause of the process.
    cursor.record(cursor.plan(100), { seqs: [], foundGaps: [], isFull: false }, 60_000);
    expect(cursor.gapCount).toBe(1);
  });

  it('finds rows below the first one that it met by sweeping for the life of a gap', () => {
    const scene = new Scene();
    scene.commit(1_000n);
    scene.round();
    scene.nowMs += 1_000;
    scene.commit(995n);
    scene.round();
    expect(scene.taken).toEqual([1_000n, 995n]);
  });

  it('sweeps instead of remembering a gap that is too wide', () => {
    const scene = settledScene();
    scene.commit(1_000_000n);
    scene.round();
    expect(scene.cursor.gapCount).toBe(0);
    scene.commit(77n);
    scene.nowMs += 1_000;
    scene.round();
    expect(scene.taken).toContain(77n);
  });

  it('sweeps once a minute for what nothing else would find', () => {
    const scene = settledScene();
    scene.commit(10n);
    scene.rounds(20, 1_000);
    scene.commit(5n);
    scene.rounds(61, 1_000);
    expect(scene.taken).toContain(5n);
  });

  it('does not scan from the head more than once a minute when nothing is amiss', () => {
    const scene = settledScene();
    scene.scans.length = 0;
    for (let seq = 2n; seq < 1_200n; seq += 1n) {
      scene.commit(seq);
      scene.rounds(1, 100);
    }
    expect(scene.scans.filter((after) => after === 0n).length).toBeLessThanOrEqual(3);
  });

  it('goes on sweeping at once where a sweep stopped at its limit', () => {
    const scene = settledScene();
    scene.commit(...Array.from({ length: 10 }, (_, at) => 1_000n + BigInt(at)));
    scene.cursor.restart(scene.nowMs);
    scene.round(4);
    expect(scene.cursor.dueInMs(scene.nowMs)).toBe(0);
    scene.round(4);
    scene.round(4);
    expect(scene.taken.slice(1)).toHaveLength(10);
  });

  it('says when a gap is to be read again', () => {
    const scene = settledScene();
    scene.commit(3n);
    scene.round();
    scene.round();
    expect(scene.cursor.dueInMs(scene.nowMs)).toBe(5);
  });

  it('begins at the head after a restart and forgets what it knew', () => {
    const scene = settledScene();
    scene.commit(3n);
    scene.round();
    scene.cursor.restart(scene.nowMs);
    expect(scene.cursor.gapCount).toBe(0);
    expect(scene.cursor.plan(scene.nowMs).afterSeq).toBe(0n);
  });
});

describe('whatever the order of commits', () => {
  /** Numbers in the order they were given out, each with how long its transaction takes to end. */
  const transactions = fc.array(
    fc.record({
      rows: fc.integer({ min: 1, max: 4 }),
      lateMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 14_000 })),
      isCommitted: fc.boolean(),
      pauseMs: fc.integer({ min: 0, max: 200 }),
    }),
    { maxLength: 60 },
  );

  it('takes every committed row exactly once, without waiting for the sweep of the minute', () => {
    fc.assert(
      fc.property(transactions, fc.integer({ min: 1, max: 10 }), (list, rowsMax) => {
        const scene = settledScene();
        const startMs = scene.nowMs;
        let nextSeq = 2n;
        let begunMs = startMs;
        const commits: { atMs: number; seqs: bigint[] }[] = [];
        for (const { rows, lateMs, isCommitted, pauseMs } of list) {
          begunMs += pauseMs;
          const seqs = Array.from({ length: rows }, (_, at) => nextSeq + BigInt(at));
          nextSeq += BigInt(rows);
          if (isCommitted) commits.push({ atMs: begunMs + lateMs, seqs });
        }
        const expected = commits.flatMap((commit) => commit.seqs);
        const lastMs = Math.max(startMs, ...commits.map((commit) => commit.atMs));
        const pending = [...commits];
        while (scene.nowMs < lastMs + 3_000) {
          scene.nowMs += 20;
          for (const commit of pending.splice(0)) {
            if (commit.atMs <= scene.nowMs) scene.commit(...commit.seqs);
            else pending.push(commit);
          }
          scene.round(rowsMax);
        }
        const taken = scene.taken.slice(1);
        expect(new Set(taken).size).toBe(taken.length);
        expect(taken.sort()).toEqual(expected.sort());
      }),
      { numRuns: 60 },
    );
  });
});
