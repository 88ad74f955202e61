import { isEnded } from '@surety/domain';
import { staleBalances, staleStatuses, strayProjections } from '@surety/db';
import type { Session, StaleBalance, StaleStatus, StrayProjection } from '@surety/db';
import { judgeLag } from './lag.js';
import type { Behind } from './lag.js';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';
import type { Finding } from './types.js';

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
        if ('version' in one) behind.push(one);
        else findings.add(one);
      }
      for (const stray of await strayProjections(snapshot)) {
        findings.add(strayFinding(snapshot, stray));
      }
    });
    if (behind.length > 0) await judgeLag(scope, behind, findings);
  },
};

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
  return { finding, shard: snapshot.id, table: 'balances', id, version };
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
    shard: snapshot.id,
    table: 'transaction_status',
    id,
    version: BigInt(version),
  };
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
