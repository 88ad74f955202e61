import type { TransferId } from '@surety/domain';
import { CHANNELS } from '@surety/runtime';
import type { Doorbell } from '@surety/runtime';

/** Beyond it a client is answered at once: open requests cost memory and sockets. */
const WATCHES_MAX = 2_000;

/** One client's wait for one transfer. A ring between two waits is not lost. */
export interface Watch {
  /** Resolves when the bell has rung for the transfer since the last wait, or after `ms`. */
  next(ms: number): Promise<void>;
  close(): void;
}

class OpenWatch implements Watch {
  private hasRung = false;
  private wake: (() => void) | undefined;
  private readonly closed: () => void;

  constructor(closed: () => void) {
    this.closed = closed;
  }

  next(ms: number): Promise<void> {
    if (this.hasRung) {
      this.hasRung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.finish(resolve);
      }, ms);
      this.wake = () => {
        clearTimeout(timer);
        this.finish(resolve);
      };
    });
  }

  ring(): void {
    this.hasRung = true;
    this.wake?.();
  }

  close(): void {
    this.closed();
    this.ring();
  }

  private finish(resolve: () => void): void {
    this.wake = undefined;
    this.hasRung = false;
    resolve();
  }
}

/** Who waits for the end of which transfer. The bell only wakes; the rows are read again. */
export class EndWatch {
  private readonly watches = new Map<TransferId, Set<OpenWatch>>();
  private count = 0;
  private isStopped = false;

  /** Listens until the returned function is called; tells of every end that is rung. */
  listen(
    doorbell: Doorbell,
    heard: (ids: readonly TransferId[]) => void = () => undefined,
  ): Promise<() => void> {
    return doorbell.subscribe(CHANNELS.ended, (payload) => {
      const ids = payload.split(',');
      heard(ids);
      // Under load nobody waits, and to look for each id in vain would still cost its hash.
      if (this.watches.size === 0) return;
      for (const id of ids) {
        this.watches.get(id)?.forEach((watch) => {
          watch.ring();
        });
      }
    });
  }

  /** Undefined where nobody may wait any more: too many do, or the process stops. */
  open(id: TransferId): Watch | undefined {
    if (this.isStopped || this.count >= WATCHES_MAX) return undefined;
    const watches = this.watches.get(id) ?? new Set();
    this.watches.set(id, watches);
    const watch = new OpenWatch(() => {
      if (!watches.delete(watch)) return;
      this.count -= 1;
      if (watches.size === 0 && this.watches.get(id) === watches) this.watches.delete(id);
    });
    watches.add(watch);
    this.count += 1;
    return watch;
  }

  get stopped(): boolean {
    return this.isStopped;
  }

  /** Wakes everybody; what they answer then is the state as it stands. */
  stop(): void {
    this.isStopped = true;
    for (const watches of this.watches.values()) {
      watches.forEach((watch) => {
        watch.ring();
      });
    }
  }
}
