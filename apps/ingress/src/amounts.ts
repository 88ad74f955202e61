import { fieldError } from '@surety/contracts';
import type { FieldError, FieldFault } from '@surety/contracts';
import { isTransferableAmount, parseAmount } from '@surety/domain';
import type { Currency, Money } from '@surety/domain';
import { invalidRequest } from './problem.js';

/** Where the currency is not known yet, only what no currency could accept is judged. */
const ANY_CURRENCY: Currency = { code: '', exponent: 0 };

type Judged = { readonly money: Money } | { readonly fault: FieldFault | undefined };

function judge(value: string | number, currency: Currency): Judged {
  const parsed = parseAmount(value, currency);
  if (!parsed.ok) {
    const isNegative = String(value).startsWith('-');
    if (parsed.fault === 'too_many_decimals' && currency === ANY_CURRENCY) {
      return { fault: isNegative ? 'not_positive' : undefined };
    }
    return { fault: parsed.fault };
  }
  if (parsed.money.minor <= 0n) return { fault: 'not_positive' };
  if (!isTransferableAmount(parsed.money.minor)) return { fault: 'too_large' };
  return { money: parsed.money };
}

/** What is wrong with a transferable amount, as far as it can be said without or with a currency. */
export function amountFault(
  value: string | number,
  currency: Currency | undefined,
): FieldFault | undefined {
  const judged = judge(value, currency ?? ANY_CURRENCY);
  return 'fault' in judged ? judged.fault : undefined;
}

/** @throws Problem invalid-request */
export function transferableAmount(value: string | number, currency: Currency): Money {
  const judged = judge(value, currency);
  if ('money' in judged) return judged.money;
  throw invalidRequest([fieldError('/amount', judged.fault ?? 'not_a_number')]);
}

/** An overdraft limit in minor units; zero where none is given. Errors are added to `errors`. */
export function overdraftLimitMinor(
  value: string | number | undefined,
  currency: Currency,
  errors: FieldError[],
): bigint {
  if (value === undefined) return 0n;
  const parsed = parseAmount(value, currency);
  const fault = parsed.ok ? (parsed.money.minor < 0n ? 'negative' : undefined) : parsed.fault;
  if (fault) errors.push(fieldError('/overdraftLimit', fault));
  return parsed.ok ? parsed.money.minor : 0n;
}
