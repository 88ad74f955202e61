/**
 * One fault at a time on one target: a process that is being restarted is not frozen, a server that
 * is down is not killed. Faults on different targets overlap.
 */
export class TargetLocks {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs the work when no other is under way on any of the targets; first come, first served. */
  async hold<T>(targets: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = targets.map((target) => this.#tails.get(target) ?? Promise.resolve());
    const run = Promise.all(before).then(work);
    const settled = run.then(
      () => undefined,
      () => undefined,
    );
    for (const target of targets) this.#tails.set(target, settled);
    return run;
  }
}
