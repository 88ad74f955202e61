/** Decimals of the currencies that the clients use (ISO 4217). */
const DECIMALS: Readonly<Record<string, number>> = { EUR: 2, JPY: 0, KWD: 3 };

/** What a client wrote or was told, in minor units. */
export function minorOf(amount: string, currency: string): bigint {
  const decimals = DECIMALS[currency];
  const match = /^(\d+)(?:\.(\d+))?$/.exec(amount);
  const fraction = match?.[2] ?? '';
  if (decimals === undefined || !match || fraction.length > decimals) {
    throw new Error(`${amount} ${currency} is no amount`);
  }
  return BigInt(`${match[1]}${fraction.padEnd(decimals, '0')}`);
}
