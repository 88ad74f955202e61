import type { TransferAcceptedAnswer, TransferBody } from '@surety/contracts';
import { formatMinor } from '@surety/domain';
import type { CurrencyTable, Money } from '@surety/domain';
import type { RequestResult } from '@surety/saga';
import type { FirstTransfers } from './first-transfers.js';

export type TakenRequest = Exclude<RequestResult, { kind: 'key_reused' }>;

/**
 * The document for a transfer that is stored. A request without a currency took that of its account:
 * if the account was opened between the first request and its replay, today's currency may be another
 * one, and only the row knows the first.
 */
export async function acceptedTransfer(
  body: TransferBody,
  result: TakenRequest,
  means: {
    readonly firstTransfers: Pick<FirstTransfers, 'read'>;
    readonly currencies: CurrencyTable;
    readonly amount: Money;
  },
): Promise<TransferAcceptedAnswer> {
  const { currencies } = means;
  const sum = await firstSum(body, result, means);
  const currency = currencies.get(sum.currency);
  if (!currency) throw new Error(`currency ${sum.currency} is stored and not configured`);
  return {
    transactionId: result.transferId,
    status: 'requested',
    sourceAccount: body.sourceAccount,
    destinationAccount: body.destinationAccount,
    amount: formatMinor(sum.minor, currency.exponent),
    currency: sum.currency,
    description: body.description,
    metadata: body.metadata,
    requestedAt: result.requestedAt,
  };
}

async function firstSum(
  body: TransferBody,
  result: TakenRequest,
  {
    firstTransfers,
    amount,
  }: { readonly firstTransfers: Pick<FirstTransfers, 'read'>; readonly amount: Money },
): Promise<Money> {
  if (result.kind === 'accepted' || body.currency !== undefined) return amount;
  const row = await firstTransfers.read(result.transferId);
  return row ? { minor: row.amountMinor, currency: row.currency } : amount;
}
