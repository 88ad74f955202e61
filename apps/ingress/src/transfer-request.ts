import type { TransferBody } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import type { Currency, CurrencyTable, Money, TransferId } from '@surety/domain';
import type { TransferRequest } from '@surety/saga';
import type { AccountCurrencies } from './account-currencies.js';
import { transferableAmount } from './amounts.js';
import { fingerprintOf, keyHashOf, normalisedDecimal } from './canonical.js';
import { ACTOR, TENANT } from './exchange.js';
import { newTransferId } from './new-transfer-id.js';

export interface ComposeMeans {
  readonly accountCurrencies: AccountCurrencies;
  readonly currencies: CurrencyTable;
  readonly defaultCurrency: string;
  /** Default: ids of this machine's clock and chance. */
  readonly composeId?: (slot: number) => TransferId;
}

/**
 * From a parsed body to what the saga takes. The fingerprint is the same whichever way the request
 * came, alone or in a batch: it is the same operation.
 * @throws Problem invalid-request where the amount does not fit the currency of the account
 */
export async function composeTransfer(
  body: TransferBody,
  made: { readonly key: string; readonly traceparent: string },
  means: ComposeMeans,
): Promise<TransferRequest> {
  const amount = transferableAmount(body.amount, await currencyOf(body, means));
  const slot = slotOfAccount(body.sourceAccount);
  const { composeId = newTransferId } = means;
  return transferRequest(body, amount, {
    key: { slot, keyHash: keyHashOf(TENANT, made.key) },
    transferId: composeId(slot),
    traceparent: made.traceparent,
  });
}

async function currencyOf(
  body: TransferBody,
  { accountCurrencies, currencies, defaultCurrency }: ComposeMeans,
): Promise<Currency> {
  const code =
    body.currency ?? (await accountCurrencies.find(body.sourceAccount)) ?? defaultCurrency;
  const currency = currencies.get(code);
  if (!currency) throw new Error(`currency ${code} is stored and not configured`);
  return currency;
}

function transferRequest(
  body: TransferBody,
  amount: Money,
  made: Pick<TransferRequest, 'key' | 'transferId' | 'traceparent'>,
): TransferRequest {
  const { sourceAccount, destinationAccount, currency, description, metadata } = body;
  const fingerprint = fingerprintOf({
    name: 'request-transfer',
    pathParameters: {},
    // In the order of the canonical form.
    request: {
      amount: normalisedDecimal(body.amount),
      currency,
      description,
      destinationAccount,
      metadata,
      sourceAccount,
    },
  });
  return {
    ...made,
    fingerprint,
    tenant: TENANT,
    source: sourceAccount,
    destination: destinationAccount,
    amount,
    actor: ACTOR,
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}
