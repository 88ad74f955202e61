import type { Account, AccountId, Reason, TransferId } from '@surety/domain';
import {
  correct,
  auditLines,
  deleteStrayProjections,
  overwriteBalances,
  overwriteStatuses,
  readBalanceEvidence,
  readStatusEvidence,
} from '@surety/db';
import type { BalanceRow, Shard, StatusEvidence, StatusRow } from '@surety/db';
import type { AuditEntry, TransferRow } from '@surety/saga';
import { isEnded, slotOfAccount, slotOfTransferId } from '@surety/domain';
import { isLegalHistory } from '../checks/legal-history.js';
import type { EventTypes } from '../checks/legal-history.js';
import type { CorrectionContext } from './context.js';
import type { Subject } from './subjects.js';
import { SOUND, refused } from './verdict.js';
import type { Corrected, Values, Verdict } from './verdict.js';

/** Rows of one transaction: bounds how long their accounts or transfers are locked. */
const ROWS_MAX = 100;

export interface JudgedProjection {
  readonly id: Subject;
  readonly verdict: Verdict<undefined>;
  readonly done?: Corrected;
}

/**
 * Puts what the accounts say in place of what is projected of them.
 * @throws StoreError
 */
export function correctBalances(
  context: CorrectionContext,
  ids: readonly AccountId[],
): Promise<readonly JudgedProjection[]> {
  return inBatches(
    ids,
    (id) => context.shardOfAccount(id),
    (shard, batch) => correctBalanceBatch(context, shard, batch),
  );
}

/**
 * Puts the ends of the transfers in place of what is projected of them; what is said of one that has
 * not ended, and is not so, goes.
 * @throws StoreError
 */
export function correctStatuses(
  context: CorrectionContext,
  ids: readonly TransferId[],
): Promise<readonly JudgedProjection[]> {
  return inBatches(
    ids,
    (id) => context.shardOfTransfer(id),
    (shard, batch) => correctStatusBatch(context, shard, batch),
  );
}

async function inBatches(
  ids: readonly string[],
  shardOf: (id: string) => Shard,
  work: (shard: Shard, batch: readonly string[]) => Promise<readonly JudgedProjection[]>,
): Promise<readonly JudgedProjection[]> {
  const byShard = new Map<Shard, string[]>();
  for (const id of ids) byShard.set(shardOf(id), [...(byShard.get(shardOf(id)) ?? []), id]);
  const judged: JudgedProjection[] = [];
  for (const [shard, all] of byShard) {
    for (let at = 0; at < all.length; at += ROWS_MAX) {
      judged.push(...(await work(shard, all.slice(at, at + ROWS_MAX))));
    }
  }
  return judged;
}

function correctBalanceBatch(
  context: CorrectionContext,
  shard: Shard,
  ids: readonly AccountId[],
): Promise<readonly JudgedProjection[]> {
  return correct(shard, context, async (session) => {
    const { accounts, projected, inDoubt } = await readBalanceEvidence(session, ids);
    const judged = ids.map((id): JudgedProjection => {
      if (inDoubt.has(id)) {
        return { id: { kind: 'balance', id }, verdict: refused(ACCOUNT_IN_DOUBT) };
      }
      const account = accounts.get(id);
      const [before, after] = [balanceValues(projected.get(id)), balanceValues(account)];
      return judge({ kind: 'balance', id }, shard, { key: `balances ${id}`, before, after });
    });
    const changed = changedIds(judged);
    const statements = [
      ...overwriteBalances(changed.flatMap((id) => accounts.get(id) ?? [])),
      ...deleteStrayProjections(
        changed.filter((id) => !accounts.has(id)),
        [],
      ),
      ...auditLines(judged.flatMap((one) => auditOf(context, one) ?? [])),
    ];
    return { statements, result: judged };
  });
}

function correctStatusBatch(
  context: CorrectionContext,
  shard: Shard,
  ids: readonly TransferId[],
): Promise<readonly JudgedProjection[]> {
  return correct(shard, context, async (session) => {
    const { transfers, events, projected } = await readStatusEvidence(session, ids);
    const right = new Map<TransferId, StatusRow>();
    const judged = ids.map((id): JudgedProjection => {
      const transfer = transfers.get(id);
      const now = transfer && statusOf(transfer, events);
      const subject = { kind: 'status', id } as const;
      if (transfer && !now) return { id: subject, verdict: refused(STATE_IN_DOUBT) };
      const [before, row] = [
        statusValues(projected.get(id)),
        toBeProjected(now, projected.get(id)),
      ];
      if (row) right.set(id, row);
      const after = statusValues(row);
      return judge(subject, shard, { key: `transaction_status ${id}`, before, after });
    });
    const changed = changedIds(judged);
    const statements = [
      ...overwriteStatuses(changed.flatMap((id) => right.get(id) ?? [])),
      ...deleteStrayProjections(
        [],
        changed.filter((id) => !right.has(id)),
      ),
      ...auditLines(judged.flatMap((one) => auditOf(context, one) ?? [])),
    ];
    return { statements, result: judged };
  });
}

export const ACCOUNT_IN_DOUBT = 'its account is in doubt, so nothing can be copied from it';
const STATE_IN_DOUBT =
  'the state or reason of the transfer contradicts its events, so nothing can follow it';

/** What is projected of a transfer whose state is what its events lead to. */
function statusOf(transfer: TransferRow, events: StatusEvidence['events']): StatusRow | undefined {
  const own = events.filter(({ transferId }) => transferId === transfer.id);
  const types = new Map(own.map(({ step, type }) => [step, type])) as EventTypes;
  const { id, kind, state, slot, reason } = transfer;
  const last = own.at(-1);
  if (!last || last.reason !== reason) return undefined;
  if (!isLegalHistory({ kind, state, events: types })) return undefined;
  return {
    ...{ transferId: id, slot, status: state, reason: reason satisfies Reason | null },
    ...{ version: last.step, updatedAt: last.occurredAt },
  };
}

/** An end; of a transfer that is under way nothing, or what stands there and is so. */
function toBeProjected(
  now: StatusRow | undefined,
  projected: StatusRow | undefined,
): StatusRow | undefined {
  if (!now || isEnded(now.status)) return now;
  const isSo = JSON.stringify(statusValues(projected)) === JSON.stringify(statusValues(now));
  return isSo ? projected : undefined;
}

function judge(
  id: Subject,
  shard: Shard,
  { key, before, after }: { key: string; before: Values; after: Values },
): JudgedProjection {
  if (JSON.stringify(before) === JSON.stringify(after)) return { id, verdict: SOUND };
  const verdict = { kind: 'correct', correction: undefined, before, after } as const;
  return { id, verdict, done: { shard: shard.id, key, before, after } };
}

function changedIds(judged: readonly JudgedProjection[]): readonly string[] {
  return judged.flatMap(({ id, done }) => (done ? [id.id] : []));
}

/** An account that never changed needs no projection; a row of its own says the same. */
function balanceValues(row: Account | BalanceRow | undefined): Values {
  if (!row) return {};
  const { slot, currency, balance, held, version } = row;
  return {
    slot,
    currency,
    balance: balance.toString(),
    held: held.toString(),
    version: version.toString(),
  };
}

function statusValues(row: StatusRow | undefined): Values {
  if (!row) return {};
  const { slot, status, reason, version } = row;
  return { slot, status, reason, version };
}

function auditOf(
  { actor, reason }: CorrectionContext,
  { id: subject, done }: JudgedProjection,
): AuditEntry | undefined {
  if (!done) return undefined;
  const { before, after } = done;
  const { kind, id } = subject;
  const about = kind === 'balance' ? { accountId: id } : { transferId: id };
  const slot = kind === 'balance' ? slotOfAccount(id) : slotOfTransferId(id);
  return { actor, action: 'correct.projection', ...about, slot, reason, before, after };
}
