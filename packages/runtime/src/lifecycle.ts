import type { Logger } from './log.js';
import { withDeadline } from './retry.js';

/** A started process, as its main and the tests see it. */
export interface RunningProcess {
  /** Resolves when it has stopped; rejects when it cannot go on. */
  readonly done: Promise<void>;
  /** Not ready, no new work, finish what is in hand, release everything. Safe to call twice. */
  stop(): Promise<void>;
}

interface Release {
  readonly name: string;
  readonly release: () => Promise<void> | void;
}

/** Once the deadline is over, each remaining release is still begun, but hardly waited for. */
const OVERTIME_MS = 10;

/** What must be given back at the end: last in, first out, so that users go before what they use. */
export class Releasers {
  private readonly stack: Release[] = [];

  push(name: string, release: () => Promise<void> | void): void {
    this.stack.push({ name, release });
  }

  /**
   * Releases everything under one deadline for all. A release that fails or hangs is logged and does
   * not keep the others from theirs.
   *
   * @returns whether everything was released in time and without an error. A second call releases
   * only what was pushed since.
   */
  async releaseAll(deadlineMs: number, log: Logger): Promise<boolean> {
    const endsAt = performance.now() + deadlineMs;
    let isClean = true;
    for (let next = this.stack.pop(); next !== undefined; next = this.stack.pop()) {
      const { name, release } = next;
      const remainingMs = Math.max(OVERTIME_MS, endsAt - performance.now());
      try {
        await withDeadline(Promise.resolve().then(release), remainingMs, `releasing ${name}`);
      } catch (error) {
        isClean = false;
        log.warn(`could not release ${name}`, { error });
      }
    }
    return isClean;
  }
}
