import { formatMinor } from '@surety/domain';
import type { CurrencyTable } from '@surety/domain';

/**
 * A sum as the operator reads it: `12.34 EUR`. Without the exponent of its currency it stays what is
 * stored, and says so: a point in the wrong place would be a wrong sum, by powers of ten.
 * @param currency null where no row tells
 */
export function amountText(
  minor: bigint,
  currency: string | null,
  currencies: CurrencyTable,
): string {
  const known = currency === null ? undefined : currencies.get(currency);
  if (known) return `${formatMinor(minor, known.exponent)} ${known.code}`;
  return `${minor} minor${currency === null ? '' : ` ${currency}`} (unknown currency)`;
}
