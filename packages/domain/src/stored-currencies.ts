import { currencyTable } from './currencies.js';
import type { CurrencyCode, CurrencyTable } from './currencies.js';
import type { ShardId } from './routing.js';

/** A currency that a shard has accounts in. */
export interface StoredCurrency {
  readonly code: CurrencyCode;
  /** Of the sums that are stored; null where nobody has written it down yet. */
  readonly exponent: number | null;
  readonly shard: ShardId;
}

const ISO = currencyTable();

/** Its decimals are what an operator says; those of ISO currencies come with the release. */
export function isOwnCurrency(code: CurrencyCode): boolean {
  return !ISO.has(code);
}

/**
 * What is configured otherwise than it is stored, each as a sentence: sums would be read as others.
 * What is configured and not stored may be anything. Empty where all agree.
 */
export function currencyMistakes(
  stored: readonly StoredCurrency[],
  configured: CurrencyTable,
): readonly string[] {
  const found = new Map<string, StoredCurrency & { readonly shards: ShardId[] }>();
  for (const one of stored) {
    const { code, exponent, shard } = one;
    const now = configured.get(code)?.exponent;
    if (now !== undefined && (exponent === null || exponent === now)) continue;
    const key = `${code}:${exponent}`;
    const known = found.get(key);
    if (known) known.shards.push(shard);
    else found.set(key, { ...one, shards: [shard] });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => told(one, configured));
}

function told(
  { code, exponent, shards }: StoredCurrency & { readonly shards: readonly ShardId[] },
  configured: CurrencyTable,
): string {
  const where = `(shard${shards.length === 1 ? '' : 's'} ${shards.join(', ')})`;
  if (exponent === null) {
    return (
      `SURETY_CURRENCIES: accounts are in ${code} ${where}, it is not configured: it needs the ` +
      'decimals that it has always had'
    );
  }
  const now = configured.get(code)?.exponent;
  const is = now === undefined ? 'it is not configured any more' : `it has ${now} now`;
  const stored = `money is stored in ${code} with ${exponent} decimals ${where}, ${is}`;
  return isOwnCurrency(code)
    ? `SURETY_CURRENCIES: ${stored}: ${code}:${exponent} is right`
    : `${stored} by this release`;
}
