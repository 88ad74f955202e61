import type { Violations } from './violations.js';

/** What clients have heard of one transfer. */
export interface SeenTransfer {
  status: string;
  reason: string | undefined;
  /** The line that said so. */
  line: number;
  /** Some answer said that it was held. */
  wasHeld: boolean;
}

const RANKS: Readonly<Record<string, number>> = {
  requested: 0,
  held: 1,
  committed: 2,
  rejected: 2,
  cancelled: 2,
};
const ENDED = 2;

interface Now {
  readonly status: string;
  readonly reason: string | undefined;
  readonly line: number;
}

/** Every status that a client was told, in the order in which it heard of them. */
export class StatusesHeard {
  /** The furthest one of each transfer. */
  readonly seen = new Map<string, SeenTransfer>();
  readonly #violations: Violations;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  /** @param knownBefore what was known of the transfer when the call was made */
  take(id: string, now: Now, knownBefore: SeenTransfer | undefined): void {
    const rank = RANKS[now.status];
    if (rank === undefined) {
      this.#violations.add('status unknown', `transfer ${id} is ${now.status}`);
      return;
    }
    this.#compare(id, now, knownBefore);
    const best = this.seen.get(id);
    const furthest = best && rankOf(best) >= rank ? best : now;
    const wasHeld = best?.wasHeld === true || now.status === 'held';
    this.seen.set(id, { ...furthest, wasHeld });
  }

  #compare(id: string, now: Now, knownBefore: SeenTransfer | undefined): void {
    if (knownBefore && isBackwards(knownBefore, now)) {
      const then = `${knownBefore.status} in line ${knownBefore.line}`;
      const detail = `transfer ${id} was ${then} and ${now.status} in line ${now.line}`;
      this.#violations.add('status went backwards', detail);
    }
    const best = this.seen.get(id);
    if (best && rankOf(best) === ENDED && rankOf(now) === ENDED && isOther(best, now)) {
      const detail = `transfer ${id} was ${wordsOf(best)} and ${wordsOf(now)}`;
      this.#violations.add('two ends were told', detail);
    }
  }
}

function rankOf({ status }: { status: string }): number {
  return RANKS[status] as number;
}

function isBackwards(before: SeenTransfer, now: { status: string }): boolean {
  return rankOf(now) < rankOf(before);
}

function isOther(
  one: SeenTransfer,
  other: { status: string; reason: string | undefined },
): boolean {
  return one.status !== other.status || one.reason !== other.reason;
}

function wordsOf({ status, reason }: { status: string; reason: string | undefined }): string {
  return reason === undefined ? status : `${status} (${reason})`;
}
