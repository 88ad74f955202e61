import type { AccountId, TransferId } from '@surety/domain';
import type { Random } from '@surety/testing/simulation';

/** Something a client wants once, however often it has to ask. */
export interface Intent {
  readonly n: number;
  readonly kind: 'transfer' | 'deposit';
  readonly source: AccountId;
  readonly destination: AccountId;
  readonly minor: number;
  readonly afterMs: number;
  /** Asked for twice at the same time. */
  readonly isDoubled: boolean;
  /** Another sum, asked for under the same key. */
  readonly rivalMinor: number | undefined;
  /** How often it is to be cancelled once it is acknowledged. */
  cancels: number;
  attempts: number;
  /** Every id that was ever composed or answered for it. */
  readonly tried: Set<TransferId>;
  acknowledged: TransferId | undefined;
}

const SUM_MAX = 500;
const WITHIN_MS = 12_000;

export interface IntentOptions {
  readonly count: number;
  readonly accounts: readonly AccountId[];
  readonly nowMs: number;
}

export function drawIntents(random: Random, { count, accounts, nowMs }: IntentOptions): Intent[] {
  const sources = accounts.slice(0, random.between(1, accounts.length));
  const intents = Array.from({ length: count }, (_, at): Intent => {
    const source = random.pick(sources);
    const minor = random.between(1, SUM_MAX);
    return {
      n: at + 1,
      kind: random.chance(0.05) ? 'deposit' : 'transfer',
      source,
      destination: random.pick([...accounts.filter((id) => id !== source), 'nobody']),
      minor,
      afterMs: nowMs + random.between(0, WITHIN_MS),
      isDoubled: random.chance(0.1),
      rivalMinor: random.chance(0.05) ? minor + 1 : undefined,
      cancels: random.chance(0.2) ? random.between(1, 2) : 0,
      attempts: 0,
      tried: new Set(),
      acknowledged: undefined,
    };
  });
  return intents.sort((one, other) => one.afterMs - other.afterMs);
}
