import type { TransferAcceptedAnswer, TransferBody } from '@surety/contracts';
import { findTransfer } from '@surety/db';
import { formatMinor, slotOfAccount } from '@surety/domain';
import type { Currency, CurrencyTable, Money, TransferId } from '@surety/domain';
import type { RequestResult, TransferRequest } from '@surety/saga';
import type { AccountCurrencies } from './account-currencies.js';
import { transferableAmount } from './amounts.js';
import { jsonAnswer } from './answer.js';
import type { Answer } from './answer.js';
import { fingerprintOf, keyHashOf, normalisedDecimal } from './canonical.js';
import { ACTOR, TENANT } from './exchange.js';
import type { Handler } from './exchange.js';
import { requireIdempotencyKey } from './idempotency-key.js';
import type { KeyMemory } from './key-memory.js';
import { newTransferId } from './new-transfer-id.js';
import { parseTransferBody } from './parse-body.js';
import { Problem } from './problem.js';
import { readJson } from './read-json.js';
import type { ShardDoors } from './shard-doors.js';

export interface PostTransferDependencies {
  readonly doors: ShardDoors;
  readonly keyMemory: Pick<KeyMemory, 'belongsHere'>;
  readonly accountCurrencies: AccountCurrencies;
  readonly currencies: CurrencyTable;
  readonly defaultCurrency: string;
  /** Default: ids of this machine's clock and chance. */
  readonly composeId?: (slot: number) => TransferId;
}

export const TRANSFERS_PATH = '/api/v1/transfers';

/**
 * Takes a transfer: the door judges shape only, everything about accounts and funds is the saga's
 * word. The 202 leaves after key, transfer, event and outbox row are committed.
 */
export function postTransfer(dependencies: PostTransferDependencies): Handler {
  const { doors, keyMemory, currencies, composeId = newTransferId } = dependencies;
  return async (exchange) => {
    const { request } = exchange;
    const body = parseTransferBody(await readJson(request), currencies);
    const key = requireIdempotencyKey(request.headers, body.idempotencyKey);
    const currency = await currencyOf(body, dependencies);
    const amount = transferableAmount(body.amount, currency);
    const keyHash = keyHashOf(TENANT, key);
    const slot = slotOfAccount(body.sourceAccount);
    if (!(await keyMemory.belongsHere(keyHash, slot))) throw new Problem('idempotency-key-reused');
    const transfer = transferRequest(body, amount, {
      key: { slot, keyHash },
      transferId: composeId(slot),
      traceparent: exchange.traceparent,
    });
    exchange.transferId = transfer.transferId;
    const result = await doors.requestTransfer(transfer);
    if (result.kind === 'key_reused') throw new Problem('idempotency-key-reused');
    exchange.transferId = result.transferId;
    const sum = await firstSum(doors, body, result, amount);
    return accepted(
      body,
      result,
      formatMinor(sum.minor, exponentOf(currencies, sum)),
      sum.currency,
    );
  };
}

async function currencyOf(
  body: TransferBody,
  { accountCurrencies, currencies, defaultCurrency }: PostTransferDependencies,
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
    request: {
      sourceAccount,
      destinationAccount,
      amount: normalisedDecimal(body.amount),
      currency,
      description,
      metadata,
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

/**
 * A request without a currency took that of its account. If the account was opened between the first
 * request and its replay, today's currency may be another one: the row knows the first.
 */
async function firstSum(
  doors: ShardDoors,
  body: TransferBody,
  result: Exclude<RequestResult, { kind: 'key_reused' }>,
  amount: Money,
): Promise<Money> {
  if (result.kind === 'accepted' || body.currency !== undefined) return amount;
  const row = await doors.readAccount(body.sourceAccount, (shard) =>
    findTransfer(shard, result.transferId),
  );
  return row ? { minor: row.amountMinor, currency: row.currency } : amount;
}

function exponentOf(currencies: CurrencyTable, money: Money): number {
  const currency = currencies.get(money.currency);
  if (!currency) throw new Error(`currency ${money.currency} is stored and not configured`);
  return currency.exponent;
}

function accepted(
  body: TransferBody,
  result: { kind: 'accepted' | 'replayed'; transferId: TransferId; requestedAt: string },
  amount: string,
  currency: string,
): Answer {
  const answer: TransferAcceptedAnswer = {
    transactionId: result.transferId,
    status: 'requested',
    sourceAccount: body.sourceAccount,
    destinationAccount: body.destinationAccount,
    amount,
    currency,
    description: body.description,
    metadata: body.metadata,
    requestedAt: result.requestedAt,
  };
  return jsonAnswer(202, answer, {
    location: `${TRANSFERS_PATH}/${result.transferId}`,
    ...(result.kind === 'replayed' ? { 'idempotency-replayed': 'true' } : {}),
  });
}
