import type { FundingAnswerBody, FundingBody, ProblemCode } from '@surety/contracts';
import { REASONS, externalAccountId, formatMinor, slotOfAccount } from '@surety/domain';
import type { AccountId, CurrencyTable, Money, Reason, TransferId } from '@surety/domain';
import type { FundingRequest, FundingResult } from '@surety/saga';
import { exponentOf } from './account-answer.js';
import type { AccountCurrencies } from './account-currencies.js';
import { transferableAmount } from './amounts.js';
import { jsonAnswer } from './answer.js';
import { fingerprintOf, keyHashOf, normalisedDecimal } from './canonical.js';
import { ACTOR, TENANT, accountIdOf } from './exchange.js';
import type { Handler } from './exchange.js';
import { requireIdempotencyKey } from './idempotency-key.js';
import type { KeyMemory } from './key-memory.js';
import { newTransferId } from './new-transfer-id.js';
import { parseFundingBody } from './parse-body.js';
import { TRANSFERS_PATH } from './post-transfer.js';
import { Problem } from './problem.js';
import { readJson } from './read-json.js';
import type { ShardDoors } from './shard-doors.js';
import { storeUnderKey } from './store-under-key.js';

export interface PostFundingDependencies {
  readonly doors: ShardDoors;
  readonly keyMemory: Pick<KeyMemory, 'lookUp' | 'remember'>;
  readonly accountCurrencies: AccountCurrencies;
  readonly currencies: CurrencyTable;
  /** Default: ids of this machine's clock and chance. */
  readonly composeId?: (slot: number) => TransferId;
}

/** Moves money in from outside or out again: requested and committed in one transaction. */
export function postFunding(dependencies: PostFundingDependencies): Handler {
  const { doors, keyMemory, accountCurrencies, currencies } = dependencies;
  const { composeId = newTransferId } = dependencies;
  return async (exchange) => {
    const { request } = exchange;
    const account = accountIdOf(exchange);
    const body = parseFundingBody(await readJson(request), currencies);
    const key = requireIdempotencyKey(request, body.idempotencyKey);
    const code = body.currency ?? (await accountCurrencies.find(account));
    if (code === undefined) throw new Problem('account-not-found');
    const exponent = exponentOf(currencies, code);
    const amount = transferableAmount(body.amount, { code, exponent });
    const slot = slotOfAccount(account);
    const keyRef = { slot, keyHash: keyHashOf(TENANT, key) };
    const result = await storeUnderKey(keyMemory, keyRef, () => {
      const transferId = composeId(slot);
      exchange.transferId = transferId;
      const made = { key: keyRef, transferId, traceparent: exchange.traceparent, amount };
      return doors.fundAccount(fundingRequest(account, body, made));
    });
    if (result.kind === 'refused') throw refusal(result.reason);
    exchange.transferId = result.transferId;
    return jsonAnswer(201, fundingAnswer({ account, body, amount, exponent }, result), {
      location: `${TRANSFERS_PATH}/${result.transferId}`,
      ...(result.kind === 'replayed' ? { 'idempotency-replayed': 'true' } : {}),
    });
  };
}

function fundingRequest(
  account: AccountId,
  body: FundingBody,
  made: Pick<FundingRequest, 'key' | 'transferId' | 'traceparent' | 'amount'>,
): FundingRequest {
  const { direction, currency, description, metadata } = body;
  const fingerprint = fingerprintOf({
    name: 'fund-account',
    pathParameters: { id: account },
    request: {
      direction,
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
    account,
    direction,
    actor: ACTOR,
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

const REFUSALS: Partial<Record<Reason, ProblemCode>> = {
  source_not_found: 'account-not-found',
  destination_not_found: 'account-not-found',
  insufficient_funds: 'insufficient-funds',
  source_currency_mismatch: 'currency-mismatch',
  destination_currency_mismatch: 'currency-mismatch',
  held_limit: 'limit-exceeded',
  balance_limit: 'limit-exceeded',
};

function refusal(reason: Reason): Problem {
  return new Problem(REFUSALS[reason] ?? 'account-unusable', { detail: REASONS[reason] });
}

function fundingAnswer(
  asked: { account: AccountId; body: FundingBody; amount: Money; exponent: number },
  result: Extract<FundingResult, { kind: 'accepted' | 'replayed' }>,
): FundingAnswerBody {
  const { account, body, amount, exponent } = asked;
  const { answer } = result;
  const external = externalAccountId(slotOfAccount(account), amount.currency);
  const isDeposit = body.direction === 'deposit';
  return {
    transactionId: result.transferId,
    status: 'committed',
    kind: 'funding',
    direction: body.direction,
    accountId: account,
    sourceAccount: isDeposit ? external : account,
    destinationAccount: isDeposit ? account : external,
    amount: formatMinor(amount.minor, exponent),
    currency: amount.currency,
    description: body.description,
    metadata: body.metadata,
    requestedAt: answer.requestedAt,
    balance: formatMinor(BigInt(answer.balance), exponent),
    held: formatMinor(BigInt(answer.held), exponent),
    version: answer.version,
  };
}
