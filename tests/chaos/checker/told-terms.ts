import { minorOf } from './amounts.js';
import type { Violations } from './violations.js';

/** What answers said of a transfer's terms; a field that no answer had is absent. */
export interface ToldTerms {
  readonly source?: string;
  readonly destination?: string;
  readonly amount?: bigint;
  readonly currency?: string;
  readonly description?: string;
}

type Body = Readonly<Record<string, unknown>>;

const FIELDS = ['source', 'destination', 'amount', 'currency', 'description'] as const;

/** Keeps the first word on every term of every transfer, and notices a second one that differs. */
export class TermsHeard {
  readonly terms = new Map<string, ToldTerms>();
  readonly #violations: Violations;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  take(id: string, body: Body): void {
    let now: ToldTerms;
    try {
      now = termsIn(body);
    } catch (error) {
      this.#violations.add('terms unreadable', `transfer ${id}: ${String(error)}`);
      return;
    }
    const before = this.terms.get(id) ?? {};
    for (const field of FIELDS) {
      const [first, second] = [before[field], now[field]];
      if (first === undefined || second === undefined || first === second) continue;
      const detail = `transfer ${id}: ${field} ${first} and ${second}`;
      this.#violations.add('two terms were told', detail);
    }
    this.terms.set(id, { ...now, ...before });
  }
}

function termsIn(body: Body): ToldTerms {
  const { sourceAccount, destinationAccount, amount, currency, description } = body;
  return {
    ...(typeof sourceAccount === 'string' ? { source: sourceAccount } : {}),
    ...(typeof destinationAccount === 'string' ? { destination: destinationAccount } : {}),
    ...(typeof amount === 'string' ? { amount: minorOf(amount, String(currency)) } : {}),
    ...(typeof currency === 'string' ? { currency } : {}),
    ...(typeof description === 'string' ? { description } : {}),
  };
}
