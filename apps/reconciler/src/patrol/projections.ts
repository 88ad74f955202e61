import type { ProjectionRepair, StaleBalanceRow, StaleStatusRow } from '@surety/db';
import { isEnded } from '@surety/domain';
import type { AuditEntry } from '@surety/saga';
import { RECONCILER } from '../sweeps/repair.js';
import type { PatrolContext } from './ports.js';
import type { Suspects } from './suspects.js';
import { PAGE_MAX, walkTransfers } from './walk.js';
import type { Positions } from './walk.js';

/**
 * Projections that say something else than the truth: behind for longer than the stall time-out, or
 * wrong for as long. The truth is what their shard's own rows say: the end of a transfer, or nothing
 * while it is under way; copies in Redis follow when the
 * projection moves on or they expire.
 */
export async function repairStaleProjections(
  context: PatrolContext,
  walk: { now: string; positions: Positions },
  suspects: Suspects<string>,
): Promise<void> {
  const { shard } = context;
  await walkTransfers({ name: 'statuses', ...walk }, async (after) => {
    const { stale, next } = await shard.staleStatuses(after, PAGE_MAX);
    await repair(context, {
      statuses: stale.filter((row) => isDue(suspects, row.transferId, row)),
    });
    return next;
  });
  const { stale, next } = await shard.staleBalances(walk.positions.of('balances'), PAGE_MAX);
  await repair(context, {
    balances: stale.filter((row) => isDue(suspects, row.truth.accountId, row)),
  });
  walk.positions.move('balances', next);
}

/**
 * Wrong or behind in the same way for the whole time: a projector that gets on is only busy. What is
 * due is forgotten, so that what the repair does not mend is tried again after the same time.
 */
function isDue(
  suspects: Suspects<string>,
  id: string,
  { projectedVersion }: { readonly projectedVersion: bigint | number | null },
): boolean {
  const key = `${id}@${projectedVersion}`;
  const isOld = suspects.seen(key, key);
  if (isOld) suspects.forget(key);
  return isOld;
}

async function repair(
  context: PatrolContext,
  {
    statuses = [],
    balances = [],
  }: { statuses?: readonly StaleStatusRow[]; balances?: readonly StaleBalanceRow[] },
): Promise<void> {
  const { shard, fence, listener } = context;
  const known = statuses.flatMap((row) => (row.truth ? [{ ...row, truth: row.truth }] : []));
  if (known.length + balances.length === 0) return;
  const lines = [...known.map(statusLine), ...balances.map(balanceLine)];
  const work: ProjectionRepair = {
    statuses: known.map(({ truth, projectedVersion }) => ({ truth, seen: projectedVersion })),
    balances: balances.map(({ truth, projectedVersion }) => ({ truth, seen: projectedVersion })),
    audit: lines,
  };
  await shard.repairProjections(work, fence);
  for (const line of lines) listener.projected(shard.id, line);
}

const LINE = { actor: RECONCILER, action: 'reconcile.project', reason: 'projection_differs' };

function statusLine(row: StaleStatusRow): AuditEntry {
  const { transferId, slot, truth, projectedStatus, projectedVersion } = row;
  const end = truth && isEnded(truth.status) ? truth : { status: null, version: null };
  return {
    ...{ ...LINE, transferId, slot },
    before: { status: projectedStatus, version: projectedVersion },
    after: { status: end.status, version: end.version },
  };
}

function balanceLine({ truth, projectedVersion }: StaleBalanceRow): AuditEntry {
  const { accountId, slot, balance, held, version } = truth;
  return {
    ...{ ...LINE, accountId, slot },
    before: { version: projectedVersion?.toString() ?? null },
    after: { balance: String(balance), held: String(held), version: String(version) },
  };
}
