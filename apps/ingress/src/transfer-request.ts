import type { TransferBody } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import type { Currency, CurrencyTable, Money, TransferId } from '@surety/domain';
import type { TransferRequest } from '@surety/saga';
import type { AccountCurrencies } from './account-currencies.js';
import { transferableAmount } from './amounts.js';
import { fingerprintOf, keyHashOf, normalisedDecimal } from './canonical.js';
import { ACTOR, TENANT } from './exchange.js';
import type { FirstTransfers } from './first-transfers.js';
import { newTransferId } from './new-transfer-id.js';

export interface ComposeMeans {
  readonly accountCurrencies: AccountCurrencies;
  readonly currencies: CurrencyTable;
  readonly defaultCurrency: string;
  readonly firstTransfers: FirstTransfers;
  /** Default: ids of this machine's clock and chance. */
  readonly composeId?: (slot: number) => TransferId;
}

/**
 * From a parsed body to what the saga takes. The fingerprint is the same whichever way the request
 * came, alone or in a batch: it is the same operation.
 * @throws Problem invalid-request where the amount does not fit the currency of the account, and the
 *   key was not used for this before
 */
export async function composeTransfer(
  body: TransferBody,
  made: { readonly key: string; readonly traceparent: string },
  means: ComposeMeans,
): Promise<TransferRequest> {
  const slot = slotOfAccount(body.sourceAccount);
  const key = { slot, keyHash: keyHashOf(TENANT, made.key) };
  const fingerprint = fingerprintOfTransfer(body);
  const amount = await amountOf(body, { key, fingerprint }, means);
  const { composeId = newTransferId } = means;
  const { description, metadata } = body;
  return {
    ...{ key, fingerprint, amount },
    transferId: composeId(slot),
    traceparent: made.traceparent,
    tenant: TENANT,
    source: body.sourceAccount,
    destination: body.destinationAccount,
    actor: ACTOR,
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/**
 * In the currency of the account. A request that names none may have come before the account was
 * opened: what it asked for then stands, also where it would be no sum of the account's currency.
 */
async function amountOf(
  body: TransferBody,
  { key, fingerprint }: Pick<TransferRequest, 'key' | 'fingerprint'>,
  means: ComposeMeans,
): Promise<Money> {
  const currency = await currencyOf(body, means);
  try {
    return transferableAmount(body.amount, currency);
  } catch (error) {
    const isGiven = body.currency !== undefined;
    const first = isGiven ? undefined : await means.firstTransfers.under(key, fingerprint);
    if (!first) throw error;
    return { minor: first.amountMinor, currency: first.currency };
  }
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

function fingerprintOfTransfer(body: TransferBody): string {
  const { sourceAccount, destinationAccount, currency, description, metadata } = body;
  return fingerprintOf({
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
}
