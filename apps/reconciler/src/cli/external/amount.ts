import { parseAmount } from '@surety/domain';
import type { AmountFault, Currency } from '@surety/domain';

export interface AmountFormat {
  readonly decimal: '.' | ',';
  readonly grouping: string;
}

const FAULTS: Readonly<Record<AmountFault, string>> = {
  not_a_number: 'is no amount',
  exponent_form: 'is written with an exponent',
  too_many_decimals: 'has more decimals than its currency',
  too_large: 'is larger than any sum here',
  inexact_number: 'is not exact',
};

export type FileAmount =
  { readonly ok: true; readonly minor: bigint } | { readonly ok: false; readonly fault: string };

/** Reads an amount as a file writes it, exactly: `-1.234,50` with its decimal comma and its groups. */
export function readAmount(text: string, format: AmountFormat, currency: Currency): FileAmount {
  const plain = plainDecimal(text, format);
  if (plain === undefined) return { ok: false, fault: FAULTS.not_a_number };
  const parsed = parseAmount(plain, currency);
  return parsed.ok
    ? { ok: true, minor: parsed.money.minor }
    : { ok: false, fault: FAULTS[parsed.fault] };
}

/**
 * The amount with a point and without groups. Groups stand every three digits or not at all: a
 * grouping sign in another place means that the rules have the two signs the wrong way round.
 */
function plainDecimal(text: string, { decimal, grouping }: AmountFormat): string | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const [whole = '', ...fractions] = text.slice(sign.length).split(decimal);
  const isPlain = fractions.length <= 1 && fractions.every((digits) => /^[0-9]+$/.test(digits));
  const digits = ungrouped(whole, grouping)?.replace(/^0+(?=[0-9])/, '');
  if (!isPlain || digits === undefined) return undefined;
  return [`${sign === '-' ? '-' : ''}${digits}`, ...fractions].join('.');
}

function ungrouped(whole: string, grouping: string): string | undefined {
  const groups = grouping === '' ? [whole] : whole.split(grouping);
  if (groups.some((group) => !/^[0-9]+$/.test(group))) return undefined;
  const [first = '', ...others] = groups;
  const isGrouped = others.length > 0;
  if (isGrouped && (first.length > 3 || others.some((group) => group.length !== 3))) {
    return undefined;
  }
  return groups.join('');
}
