import { randomBytes } from 'node:crypto';
import type { AccountBody } from '@surety/contracts';
import { findAccount } from '@surety/db';
import { slotOfAccount } from '@surety/domain';
import type { AccountId, CurrencyTable } from '@surety/domain';
import type { AccountOpening, KeyClaim } from '@surety/saga';
import { accountAnswer, metadataOf } from './account-answer.js';
import { jsonAnswer } from './answer.js';
import {
  canonicalJson,
  fingerprintOf,
  hashOfParts,
  keyHashOf,
  normalisedDecimal,
} from './canonical.js';
import { TENANT } from './exchange.js';
import type { Handler } from './exchange.js';
import { findIdempotencyKey } from './idempotency-key.js';
import type { KeyMemory } from './key-memory.js';
import { parseAccountBody } from './parse-body.js';
import type { CheckedAccountBody } from './parse-body.js';
import { Problem } from './problem.js';
import { readJson } from './read-json.js';
import type { ShardDoors } from './shard-doors.js';
import { storeUnderKey } from './store-under-key.js';

export interface PostAccountDependencies {
  readonly doors: ShardDoors;
  readonly keyMemory: Pick<KeyMemory, 'lookUp' | 'remember'>;
  readonly currencies: CurrencyTable;
}

export const ACCOUNTS_PATH = '/api/v1/accounts';

const ID_PREFIX = 'acc_';
const RANDOM_BYTES = 16;
/** 128 bits of the hash: as hard to meet twice as a random id. */
const HASH_DIGITS = 32;

/**
 * Opens an account. A key is optional here, because an account of a given id is opened once with or
 * without one: the same opening again is answered 200 with the account as it stands now. What the key
 * adds is the first answer again, and the refusal of another request under it.
 */
export function postAccount({ doors, keyMemory, currencies }: PostAccountDependencies): Handler {
  return async ({ request }) => {
    const checked = parseAccountBody(await readJson(request), currencies);
    const { body } = checked;
    const key = findIdempotencyKey(request, body.idempotencyKey);
    const opening = openingOf(checked, key);
    const { id, claim } = opening;
    const result = await storeUnderKey(keyMemory, claim?.key, () => doors.openAccount(opening));
    if (result.kind === 'conflict') throw conflictOf(body, key);
    const isExisting = result.kind === 'existing';
    const metadata = isExisting ? await storedMetadata(doors, id) : body.metadata;
    return jsonAnswer(isExisting ? 200 : 201, accountAnswer(result.account, metadata, currencies), {
      location: `${ACCOUNTS_PATH}/${id}`,
      ...(result.kind === 'replayed' ? { 'idempotency-replayed': 'true' } : {}),
    });
  };
}

/** An id that was made from the key says for ever what the key was used for; its row expires. */
function conflictOf(body: AccountBody, key: string | undefined): Problem {
  const isIdFromKey = body.accountId === undefined && key !== undefined;
  return new Problem(isIdFromKey ? 'idempotency-key-reused' : 'account-conflict');
}

async function storedMetadata(
  doors: ShardDoors,
  id: AccountId,
): Promise<Record<string, unknown> | undefined> {
  return metadataOf(await doors.readAccount(id, (shard) => findAccount(shard, id)));
}

function openingOf(
  { body, overdraftLimitMinor }: CheckedAccountBody,
  key: string | undefined,
): AccountOpening {
  const id = accountIdFor(body, key);
  return {
    id,
    tenant: TENANT,
    currency: body.currency,
    type: body.type ?? 'customer',
    owner: body.owner ?? null,
    overdraftLimit: overdraftLimitMinor,
    metadata: body.metadata === undefined ? null : canonicalJson(body.metadata),
    ...(key === undefined ? {} : { claim: claimOf(key, id, body) }),
  };
}

function claimOf(key: string, id: string, body: AccountBody): KeyClaim {
  const { accountId, currency, type, owner, overdraftLimit, metadata } = body;
  const fingerprint = fingerprintOf({
    name: 'open-account',
    pathParameters: {},
    request: {
      accountId,
      currency,
      metadata,
      overdraftLimit: overdraftLimit === undefined ? undefined : normalisedDecimal(overdraftLimit),
      owner,
      type,
    },
  });
  return { key: { slot: slotOfAccount(id), keyHash: keyHashOf(TENANT, key) }, fingerprint };
}

function accountIdFor(body: AccountBody, key: string | undefined): string {
  if (body.accountId !== undefined) return body.accountId;
  return key === undefined
    ? ID_PREFIX + randomBytes(RANDOM_BYTES).toString('hex')
    : ID_PREFIX + hashOfParts(TENANT, 'account', key).slice(0, HASH_DIGITS);
}
