/**
 * Currencies and their exponents: how many decimals the minor unit stands behind the point.
 * Source: ISO 4217 (active codes of list one with a minor unit). An exponent never changes once a
 * currency is in use, because stored amounts are minor units.
 */
export type CurrencyCode = string;

export interface Currency {
  readonly code: CurrencyCode;
  readonly exponent: number;
}

export type CurrencyTable = ReadonlyMap<CurrencyCode, Currency>;

const EXPONENT_2 =
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD ' +
  'CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS ' +
  'GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD ' +
  'LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB ' +
  'PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP ' +
  'SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG';
const EXPONENT_0 = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF';
const EXPONENT_3 = 'BHD IQD JOD KWD LYD OMR TND';
const EXPONENT_4 = 'CLF UYW';

const CURRENCY_CODE = /^[A-Z][A-Z0-9]{2,7}$/;
const EXPONENT_MAX = 8;

function isoCurrencies(): Currency[] {
  const groups: readonly (readonly [string, number])[] = [
    [EXPONENT_0, 0],
    [EXPONENT_2, 2],
    [EXPONENT_3, 3],
    [EXPONENT_4, 4],
  ];
  return groups.flatMap(([codes, exponent]) =>
    codes.split(' ').map((code) => ({ code, exponent })),
  );
}

/**
 * The table a process works with: ISO 4217 plus the operator's own currencies (points, vouchers).
 * @throws RangeError where a custom code is malformed, has an exponent outside 0..8, or contradicts ISO.
 */
export function currencyTable(custom: readonly Currency[] = []): CurrencyTable {
  const table = new Map(isoCurrencies().map((currency) => [currency.code, currency]));
  for (const currency of custom) {
    if (!CURRENCY_CODE.test(currency.code)) {
      throw new RangeError(`currency code ${JSON.stringify(currency.code)} is malformed`);
    }
    const { exponent } = currency;
    if (!Number.isInteger(exponent) || exponent < 0 || exponent > EXPONENT_MAX) {
      throw new RangeError(`currency ${currency.code} has an exponent outside 0..${EXPONENT_MAX}`);
    }
    const known = table.get(currency.code);
    if (known && known.exponent !== exponent) {
      throw new RangeError(`currency ${currency.code} already has the exponent ${known.exponent}`);
    }
    table.set(currency.code, { code: currency.code, exponent });
  }
  return table;
}
