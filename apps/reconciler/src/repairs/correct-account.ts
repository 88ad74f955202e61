import type { AccountId } from '@surety/domain';
import { correct, readAccountEvidence, writeAccountCorrection } from '@surety/db';
import type { AccountCorrection } from '@surety/db';
import type { CorrectionContext } from './context.js';
import type { Judged } from './correct-transfer.js';
import { judgeAccount } from './judge-account.js';

/**
 * Judges one account under its row lock and sets it to what its legs and holds say.
 * @throws StoreError
 */
export function correctAccount(
  context: CorrectionContext,
  id: AccountId,
): Promise<Judged<AccountCorrection>> {
  const shard = context.shardOfAccount(id);
  const { actor, reason } = context;
  return correct<Judged<AccountCorrection>>(shard, context, async (session) => {
    const evidence = await readAccountEvidence(session, id);
    const verdict = judgeAccount(evidence);
    const { account } = evidence;
    if (verdict.kind !== 'correct' || !account) return { statements: [], result: { verdict } };
    const { correction, before, after } = verdict;
    const statements = writeAccountCorrection(account, correction, {
      ...{ actor, action: 'correct.account', accountId: id },
      ...{ slot: account.slot, reason, before, after },
    });
    const done = { shard: shard.id, key: `account ${id}`, before, after };
    return { statements, result: { verdict, done } };
  });
}
