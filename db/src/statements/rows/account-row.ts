import type { Account, AccountStatus, AccountType } from '@surety/domain';
import {
  readBigint,
  readCount,
  readFlag,
  readText,
  readTextOrNull,
} from '../../connection/cells.js';
import type { Row } from '../../connection/cells.js';

export const ACCOUNT_COLUMNS =
  'id, slot, type, owner, tenant, currency, status, debits_blocked, credits_blocked, ' +
  'balance, held, overdraft_limit, version, entry_seq';

export function readAccountRow(row: Row): Account {
  return {
    id: readText(row[0]),
    slot: readCount(row[1]),
    type: readText(row[2]) as AccountType,
    owner: readTextOrNull(row[3]),
    tenant: readText(row[4]),
    currency: readText(row[5]),
    status: readText(row[6]) as AccountStatus,
    debitsBlocked: readFlag(row[7]),
    creditsBlocked: readFlag(row[8]),
    balance: readBigint(row[9]),
    held: readBigint(row[10]),
    overdraftLimit: readBigint(row[11]),
    version: readBigint(row[12]),
    entrySeq: readBigint(row[13]),
  };
}
