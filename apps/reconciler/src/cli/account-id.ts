import type { Shard } from '@surety/db';
import { ACCOUNT_ID, slotOfAccount } from '@surety/domain';
import { CliError } from './output.js';
import type { Session } from './session.js';

/** As legs name them: where money is between shards, and where it enters and leaves. */
const SYSTEM_ACCOUNT = /^~(?:transit|external):\d{1,4}:[A-Z][A-Z0-9]{2,7}$/;

/** The shard that carries the account. @throws CliError where the text can be no account's id. */
export function shardOfAccount(session: Session, id: string): Shard {
  assertAccountId(id);
  return session.shardOf(slotOfAccount(id));
}

/** For commands to call before they open anything. @throws CliError where it can be none. */
export function assertAccountId(id: string): void {
  if (SYSTEM_ACCOUNT.test(id)) {
    throw new CliError(
      `${id} is a system account, whose balance is the sum of its legs: there is no row of it to ` +
        'show or change. `surety transfer show <id>` lists the legs of each transfer, ' +
        '`surety check --full` proves that all of them add up',
    );
  }
  if (!ACCOUNT_ID.test(id)) throw new CliError(`${JSON.stringify(id)} is not an account id`);
}
