import type { AccountId, ShardId, TransferId } from '@surety/domain';
import { projectedBalanceVersions, projectedStatusVersions } from '@surety/db';
import { sleep } from '@surety/runtime';
import type { CheckScope } from './scope.js';
import type { Finding, Findings } from './types.js';

const PATIENCE_POLL_MS = 200;
/** A projector that works through a backlog is waited for, but not for ever. */
const PATIENCE_TIMES_MAX = 6;

/** A row of a projection that is older than the truth; there may be as many as there are rows. */
export type Behind = {
  readonly finding: Finding;
  readonly shard: ShardId;
  /** Of the truth: once the row has it, it is behind no longer. */
  readonly version: bigint;
} & (
  | { readonly table: 'balances'; readonly id: AccountId }
  | { readonly table: 'transaction_status'; readonly id: TransferId }
);

/**
 * Rows that are behind are a note while work is under way; at rest those that do not catch up in time
 * are findings.
 * @throws StoreError
 */
export async function judgeLag(
  scope: CheckScope,
  behind: readonly Behind[],
  findings: Findings,
): Promise<void> {
  if ((await scope.count('outbox', 'open_transfers')) > 0) {
    findings.notes.push(`${behind.length} rows are behind while work is under way`);
    return;
  }
  const late = await stillBehind(scope, behind);
  for (const { finding } of late) findings.add(finding);
  const caughtUp = behind.length - late.length;
  if (caughtUp > 0) findings.notes.push(`${caughtUp} rows were behind and have caught up`);
}

async function stillBehind(
  scope: CheckScope,
  behind: readonly Behind[],
): Promise<readonly Behind[]> {
  const patienceMs = scope.projectionPatienceMs;
  const endsAt = performance.now() + PATIENCE_TIMES_MAX * patienceMs;
  let until = performance.now() + patienceMs;
  let late = behind;
  for (;;) {
    const next = await notReached(scope, late);
    // Something moves: the rest gets its time from now on.
    if (next.length < late.length) until = Math.min(endsAt, performance.now() + patienceMs);
    late = next;
    if (late.length === 0 || performance.now() >= until) return late;
    await sleep(PATIENCE_POLL_MS);
  }
}

async function notReached(
  scope: CheckScope,
  behind: readonly Behind[],
): Promise<readonly Behind[]> {
  const shards = [...new Set(behind.map(({ shard }) => shard))];
  const parts = await Promise.all(
    shards.map(async (id) => {
      const here = behind.filter(({ shard }) => shard === id);
      const shard = scope.liveShard(id);
      const balances = await projectedBalanceVersions(
        shard,
        here.flatMap((row) => (row.table === 'balances' ? [row.id] : [])),
      );
      const statuses = await projectedStatusVersions(
        shard,
        here.flatMap((row) => (row.table === 'balances' ? [] : [row.id])),
      );
      return here.filter((row) => {
        const versions = row.table === 'balances' ? balances : statuses;
        return (versions.get(row.id) ?? -1n) < row.version;
      });
    }),
  );
  return parts.flat();
}
