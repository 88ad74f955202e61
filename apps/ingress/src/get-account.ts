import type { BalanceAnswer, BalanceCopy, EntriesAnswer } from '@surety/contracts';
import { findAccount, listEntries } from '@surety/db';
import { availableMinor, formatMinor } from '@surety/domain';
import type { Account, AccountId, CurrencyTable } from '@surety/domain';
import { StoreError } from '@surety/saga';
import { accountAnswer, exponentOf, metadataOf } from './account-answer.js';
import type { AccountCurrencies } from './account-currencies.js';
import { jsonAnswer } from './answer.js';
import type { Copies } from './copies.js';
import { accountIdOf } from './exchange.js';
import type { Handler } from './exchange.js';
import { Problem, ShardContradicts, ShardUnavailable } from './problem.js';
import { readQuery } from './query.js';
import type { ParameterFault } from './query.js';
import type { ShardDoors } from './shard-doors.js';

export interface GetAccountDependencies {
  readonly doors: ShardDoors;
  readonly copies: Copies;
  readonly accountCurrencies: AccountCurrencies;
  readonly currencies: CurrencyTable;
}

export function getAccount({ doors, currencies }: GetAccountDependencies): Handler {
  return async (exchange) => {
    const id = accountIdOf(exchange);
    const account = await doors.readAccount(id, (shard) => findAccount(shard, id));
    if (!account) throw new Problem('account-not-found');
    return jsonAnswer(200, accountAnswer(account, metadataOf(account), currencies));
  };
}

/** The balance as the account's row says; while its shard is out of reach, the last copy of it. */
export function getBalance({ doors, copies, currencies }: GetAccountDependencies): Handler {
  return async (exchange) => {
    const id = accountIdOf(exchange);
    let account: Account | undefined;
    try {
      account = await doors.readAccount(id, (shard) => findAccount(shard, id));
    } catch (error) {
      const copy = isAway(error) ? await copies.balance(id) : undefined;
      if (!copy) throw error;
      return jsonAnswer(200, staleBalance(id, copy, currencies));
    }
    if (!account) throw new Problem('account-not-found');
    return jsonAnswer(200, balanceAnswer(account, currencies));
  };
}

function isAway(error: unknown): boolean {
  if (error instanceof ShardContradicts) return false;
  if (error instanceof ShardUnavailable) return true;
  return error instanceof StoreError && error.kind === 'environment';
}

function balanceAnswer(account: Account, currencies: CurrencyTable): BalanceAnswer {
  const exponent = exponentOf(currencies, account.currency);
  return {
    accountId: account.id,
    balance: formatMinor(account.balance, exponent),
    held: formatMinor(account.held, exponent),
    available: formatMinor(availableMinor(account), exponent),
    currency: account.currency,
    version: account.version.toString(),
    asOf: new Date().toISOString(),
  };
}

function staleBalance(id: AccountId, copy: BalanceCopy, currencies: CurrencyTable): BalanceAnswer {
  const exponent = exponentOf(currencies, copy.currency);
  const balance = BigInt(copy.balance);
  const held = BigInt(copy.held);
  const limit = copy.overdraftLimit ?? undefined;
  return {
    accountId: id,
    balance: formatMinor(balance, exponent),
    held: formatMinor(held, exponent),
    ...(limit === undefined
      ? {}
      : { available: formatMinor(balance - held + BigInt(limit), exponent) }),
    currency: copy.currency,
    version: copy.version,
    asOf: copy.updatedAt,
    stale: true,
  };
}

const ENTRIES_DEFAULT = 50;
const ENTRIES_MAX = 200;

type EntriesQuery = {
  readonly limit: number;
  /** Entries below this number are asked for; without it, from the newest on. */
  readonly cursor: bigint;
};

/** The account's ledger entries, newest first. Their numbers are dense, so a page cannot skip one. */
export function getEntries(dependencies: GetAccountDependencies): Handler {
  const { doors, accountCurrencies, currencies } = dependencies;
  const handler: Handler = async (exchange) => {
    const id = accountIdOf(exchange);
    const { limit = ENTRIES_DEFAULT, cursor: before } = readQuery<EntriesQuery>(exchange, {
      limit: limitIn,
      cursor: (text) => cursorIn(text, id),
    });
    const currency = await accountCurrencies.find(id);
    if (currency === undefined) throw new Problem('account-not-found');
    const exponent = exponentOf(currencies, currency);
    const rows = await doors.readAccount(id, (shard) => listEntries(shard, id, before, limit));
    const last = rows.at(-1);
    const answer: EntriesAnswer = {
      entries: rows.map((row) => ({
        entrySeq: row.entrySeq.toString(),
        transactionId: row.transferId,
        amount: formatMinor(row.minor, exponent),
        balanceAfter: formatMinor(row.balanceAfter, exponent),
        currency: row.currency,
        at: row.postedAt,
      })),
      ...(last && last.entrySeq > 1n ? { nextCursor: encodeCursor(id, last.entrySeq) } : {}),
    };
    return jsonAnswer(200, answer);
  };
  return Object.assign(handler, { readsQuery: true } as const);
}

function limitIn(text: string): number | ParameterFault {
  if (!/^(?:0|-?[1-9][0-9]*)$/.test(text)) return 'not_an_integer';
  const limit = Number(text);
  if (limit >= 1 && limit <= ENTRIES_MAX) return limit;
  return { fault: 'out_of_range', range: { min: 1, max: ENTRIES_MAX } };
}

function cursorIn(text: string, id: AccountId): bigint | ParameterFault {
  const [, entrySeq] = /^([1-9][0-9]{0,17}) /.exec(decoded(text)) ?? [];
  if (entrySeq === undefined) return 'malformed_cursor';
  const before = BigInt(entrySeq);
  return encodeCursor(id, before) === text ? before : 'malformed_cursor';
}

function decoded(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('latin1');
}

/** It names its account: the number of an entry means nothing in another one. */
function encodeCursor(id: AccountId, entrySeq: bigint): string {
  return Buffer.from(`${entrySeq} ${id}`, 'latin1').toString('base64url');
}
