import { minorOf } from './amounts.js';

export interface Terms {
  readonly source: string;
  readonly destination: string;
  readonly amount: bigint;
  readonly currency: string;
}

type Body = Readonly<Record<string, unknown>>;

export function termsOfTransfer(request: Body): Terms {
  const currency = String(request['currency']);
  return {
    source: String(request['sourceAccount']),
    destination: String(request['destinationAccount']),
    amount: minorOf(String(request['amount']), currency),
    currency,
  };
}

/** No sum above zero, or from an account to itself: nothing that the API may take. */
export function isBadRequest(request: Body): boolean {
  try {
    const { source, destination, amount } = termsOfTransfer(request);
    return amount === 0n || source === destination;
  } catch {
    return true;
  }
}

export function termsOfFunding(request: Body): Terms {
  const currency = String(request['currency']);
  const account = String(request['accountId']);
  const isDeposit = request['direction'] === 'deposit';
  return {
    source: isDeposit ? '' : account,
    destination: isDeposit ? account : '',
    amount: minorOf(String(request['amount']), currency),
    currency,
  };
}
