import type { TransferAcceptedAnswer, TransferBody } from '@surety/contracts';
import { findTransfer } from '@surety/db';
import { formatMinor } from '@surety/domain';
import type { CurrencyTable, Money } from '@surety/domain';
import type { RequestResult } from '@surety/saga';
import type { ShardDoors } from './shard-doors.js';

export type TakenRequest = Exclude<RequestResult, { kind: 'key_reused' }>;

/**
 * The document for a transfer that is stored. A request without a currency took that of its account:
 * if the account was opened between the first request and its replay, today's currency may be another
 * one, and only the row knows the first.
 */
export async function acceptedTransfer(
  body: TransferBody,
  result: TakenRequest,
  means: { readonly doors: ShardDoors; readonly currencies: CurrencyTable; readonly amount: Money },
): Promise<TransferAcceptedAnswer> {
  const { doors, currencies } = means;
  const sum = await firstSum(doors, body, result, means.amount);
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
  doors: ShardDoors,
  body: TransferBody,
  result: TakenRequest,
  amount: Money,
): Promise<Money> {
  if (result.kind === 'accepted' || body.currency !== undefined) return amount;
  const row = await doors.readAccount(body.sourceAccount, (shard) =>
    findTransfer(shard, result.transferId),
  );
  return row ? { minor: row.amountMinor, currency: row.currency } : amount;
}
