import type { Shard } from '@surety/db';
import { ACCOUNT_ID, slotOfAccount } from '@surety/domain';
import { CliError } from './output.js';
import type { Session } from './session.js';

/** The shard that carries the account. @throws CliError where the text can be no account's id. */
export function shardOfAccount(session: Session, id: string): Shard {
  return session.shardOf(slotOfAccountId(id));
}

/** @throws CliError where the text can be no account's id. */
export function slotOfAccountId(id: string): number {
  if (!ACCOUNT_ID.test(id)) throw new CliError(`${JSON.stringify(id)} is not an account id`);
  return slotOfAccount(id);
}
