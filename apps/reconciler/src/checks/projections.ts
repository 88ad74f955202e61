import { isEnded } from '@surety/domain';
import type { ShardId } from '@surety/domain';
import {
  readBalance,
  readTransactionStatus,
  staleBalances,
  staleStatuses,
  strayProjections,
} from '@surety/db';
import type { Session, Shard, StaleBalance, StaleStatus, StrayProjection } from '@surety/db';
import { sleep } from '@surety/runtime';
import { onEveryShard } from './scope.js';
import type { Check, CheckScope } from './scope.js';
import type { Finding, Findings } from './types.js';

const PATIENCE_POLL_MS = 200;
/** A projector that works through a backlog is waited for, but not for ever. */
const PATIENCE_TIMES_MAX = 6;

/**
 * A projection may be behind while work is under way: that is lag, told as a note. At rest it is
 * given a moment to reach what the instant says, because its last message may just be on its way.
 * What is the same version and says something else, or is newer than the truth, is always wrong.
 */
export const projections: Check = {
  name: 'projections',
  promise: 'Balances and statuses say what accounts and transfers say, or are on their way there.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('balances', 'transaction_status');
    const behind: Behind[] = [];
    await onEveryShard(scope, async (snapshot) => {
      const balances = await staleBalances(snapshot);
      const statuses = await staleStatuses(snapshot);
      const stale = [
        ...balances.map((row) => staleBalance(snapshot, row)),
        ...statuses.map((row) => staleStatus(snapshot, row)),
      ];
      for (const one of stale) {
        if ('reached' in one) behind.push(one);
        else findings.add(one);
      }
      findings.add(...(await strays(snapshot)));
    });
    if (behind.length > 0) await judgeLag(scope, behind, findings);
  },
};

/** A row that is older than the truth, and how to tell whether it has come to it meanwhile. */
export interface Behind {
  readonly finding: Finding;
  reached(shard: Shard): Promise<boolean>;
}

export function staleBalance(snapshot: Pick<Session, 'id'>, row: StaleBalance): Finding | Behind {
  const { id, version, projectedVersion } = row;
  const isBehind = (projectedVersion ?? -1n) < version;
  const finding = {
    shard: snapshot.id,
    key: `balances ${id}`,
    problem: isBehind ? 'is behind at rest' : 'contradicts its account',
    detail: {
      version: projectedVersion?.toString() ?? null,
      truthVersion: version.toString(),
      balance: row.projectedBalance?.toString() ?? null,
      truthBalance: row.balance.toString(),
      held: row.projectedHeld?.toString() ?? null,
      truthHeld: row.held.toString(),
    },
  };
  if (!isBehind) return finding;
  return {
    finding,
    reached: async (shard) => ((await readBalance(shard, id))?.version ?? -1n) >= version,
  };
}

export function staleStatus(snapshot: Pick<Session, 'id'>, row: StaleStatus): Finding | Behind {
  const { id, projectedStatus, projectedVersion } = row;
  const version = row.version ?? 0;
  // Nothing follows an end: one that is told and not so was never on its way.
  const isEndTold = projectedStatus !== null && isEnded(projectedStatus);
  const isBehind = !isEndTold && (projectedVersion ?? -1) < version;
  const finding = {
    shard: snapshot.id,
    key: `transaction_status ${id}`,
    problem: isBehind ? 'is behind at rest' : 'contradicts its transfer',
    detail: {
      version: projectedVersion,
      truthVersion: row.version,
      status: projectedStatus,
      truthStatus: row.state,
      reason: row.projectedReason,
      truthReason: row.reason,
    },
  };
  if (!isBehind) return finding;
  return {
    finding,
    reached: async (shard) => ((await readTransactionStatus(shard, id))?.version ?? -1) >= version,
  };
}

async function strays(snapshot: Session): Promise<Finding[]> {
  const rows = await strayProjections(snapshot);
  return rows.map((row) => strayFinding(snapshot, row));
}

export function strayFinding(
  snapshot: Pick<Session, 'id'>,
  { table, key, version, truthVersion }: StrayProjection,
): Finding {
  return {
    shard: snapshot.id,
    key: `${table} ${key}`,
    problem: truthVersion === null ? 'is about what does not exist' : 'is newer than the truth',
    detail: { version: version.toString(), truthVersion: truthVersion?.toString() ?? null },
  };
}

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
  findings.add(...late.map(({ finding }) => finding));
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
    const next: Behind[] = [];
    for (const one of late) {
      if (!(await one.reached(scope.liveShard(one.finding.shard as ShardId)))) next.push(one);
    }
    // Something moves: the rest gets its time from now on.
    if (next.length < late.length) until = Math.min(endsAt, performance.now() + patienceMs);
    late = next;
    if (late.length === 0 || performance.now() >= until) return late;
    await sleep(PATIENCE_POLL_MS);
  }
}
