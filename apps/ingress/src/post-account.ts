import { randomBytes } from 'node:crypto';
import type { AccountBody } from '@surety/contracts';
import { findAccount } from '@surety/db';
import type { CurrencyTable } from '@surety/domain';
import { accountAnswer, metadataOf } from './account-answer.js';
import { jsonAnswer } from './answer.js';
import { canonicalJson, hashOfParts } from './canonical.js';
import { TENANT } from './exchange.js';
import type { Handler } from './exchange.js';
import { findIdempotencyKey } from './idempotency-key.js';
import { parseAccountBody } from './parse-body.js';
import { Problem } from './problem.js';
import { readJson } from './read-json.js';
import type { ShardDoors } from './shard-doors.js';

export interface PostAccountDependencies {
  readonly doors: ShardDoors;
  readonly currencies: CurrencyTable;
}

export const ACCOUNTS_PATH = '/api/v1/accounts';

const ID_PREFIX = 'acc_';
const RANDOM_BYTES = 16;
/** 128 bits of the hash: as hard to meet twice as a random id. */
const HASH_DIGITS = 32;

/** Opens an account. Its id is the idempotency key; without one it is made from the client's key. */
export function postAccount({ doors, currencies }: PostAccountDependencies): Handler {
  return async (exchange) => {
    const { request } = exchange;
    const { body, overdraftLimitMinor } = parseAccountBody(await readJson(request), currencies);
    const key = findIdempotencyKey(request.headers, body.idempotencyKey);
    const id = accountIdFor(body, key);
    const result = await doors.openAccount({
      id,
      tenant: TENANT,
      currency: body.currency,
      type: body.type ?? 'customer',
      owner: body.owner ?? null,
      overdraftLimit: overdraftLimitMinor,
      metadata: body.metadata === undefined ? null : canonicalJson(body.metadata),
    });
    if (result.kind === 'conflict') {
      const isIdFromKey = body.accountId === undefined && key !== undefined;
      throw new Problem(isIdFromKey ? 'idempotency-key-reused' : 'account-conflict');
    }
    const location = `${ACCOUNTS_PATH}/${id}`;
    if (result.kind === 'opened') {
      const answer = accountAnswer(result.account, body.metadata, currencies);
      return jsonAnswer(201, answer, { location });
    }
    const known = await doors.readAccount(id, (shard) => findAccount(shard, id));
    const answer = accountAnswer(result.account, metadataOf(known), currencies);
    return jsonAnswer(200, answer, { location });
  };
}

function accountIdFor(body: AccountBody, key: string | undefined): string {
  if (body.accountId !== undefined) return body.accountId;
  return key === undefined
    ? ID_PREFIX + randomBytes(RANDOM_BYTES).toString('hex')
    : ID_PREFIX + hashOfParts(TENANT, 'account', key).slice(0, HASH_DIGITS);
}
