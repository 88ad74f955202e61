import type { TransferId } from '@surety/domain';

/** Rows looked at together. */
export const PAGE_MAX = 500;
/** Pages of the newest rows in one pass: bounds its work, and keeps up with a busy shard. */
const NEWEST_PAGES_MAX = 4;
/** How far back by their ids the newest transfers are looked at again and again. */
export const NEWEST_MS = 15 * 60_000;

const TIME_DIGITS = 12;

/** The smallest id that a transfer of this instant may have. It says where to look, nothing more. */
export function idFloor(now: string, backMs: number): TransferId {
  const ms = Math.max(0, Date.parse(now) - backMs);
  const hex = ms.toString(16).padStart(TIME_DIGITS, '0').slice(-TIME_DIGITS);
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Where the walks of one shard stand: written down once a pass, read by whoever leads next. */
export class Positions {
  readonly #read: ReadonlyMap<string, string>;
  readonly #moved = new Map<string, string>();

  constructor(read: ReadonlyMap<string, string>) {
    this.#read = read;
  }

  /** Undefined at the head. */
  of(name: string): string | undefined {
    const position = this.#moved.get(name) ?? this.#read.get(name) ?? '';
    return position === '' ? undefined : position;
  }

  move(name: string, to: string | undefined): void {
    this.#moved.set(name, to ?? '');
  }

  /** Those that are not where they were read. */
  get moved(): ReadonlyMap<string, string> {
    return new Map([...this.#moved].filter(([name, to]) => to !== (this.#read.get(name) ?? '')));
  }
}

/**
 * Looks at a table of transfers in two places: its newest rows again and again, and the whole of it
 * bit by bit, round and round. So what is new is seen within minutes and nothing escapes for ever,
 * and a pass costs the same whatever the history.
 */
export async function walkTransfers(
  { name, now, positions }: { name: string; now: string; positions: Positions },
  look: (after: TransferId | undefined) => Promise<TransferId | undefined>,
): Promise<void> {
  const newest = `${name}.newest`;
  const floor = idFloor(now, NEWEST_MS);
  for (let page = 0; page < NEWEST_PAGES_MAX; page += 1) {
    const from = positions.of(newest);
    const next = await look(from !== undefined && from > floor ? from : floor);
    positions.move(newest, next);
    if (next === undefined) break;
  }
  const whole = `${name}.whole`;
  positions.move(whole, await look(positions.of(whole)));
}
