import type { ShardId } from '@surety/domain';
import { listAuditEntries } from '@surety/db';
import type { StoredAuditEntry } from '@surety/db';
import type { CheckForm } from '../checks/check-system.js';
import { runCorrections } from '../repairs/run-corrections.js';
import type { CorrectionReport, LookedAt } from '../repairs/run-corrections.js';
import type { CorrectionAuthor, Values } from '../repairs/verdict.js';
import { coverText } from './print-checks.js';
import type { Session } from './session.js';
import { table } from './table.js';

export interface CorrectOptions extends CorrectionAuthor {
  readonly form: CheckForm;
  readonly dryRun: boolean;
}

/** @throws StoreError where a shard is away: what is not known is not corrected. */
export function correctOnce(
  { pools, config }: Session,
  options: CorrectOptions,
): Promise<CorrectionReport> {
  return runCorrections(pools, { ...options, holdTimeoutMs: config.holdTimeoutMs });
}

/**
 * What was looked at and what was not, one line per row that was set right, one per finding that was
 * refused, then the sum: 0 of 0 says nothing without what it is of.
 */
export function printCorrections(report: CorrectionReport, dryRun: boolean): string {
  const { corrected, refused, isCut } = report;
  const lines = lookedAtLines(report);
  if (corrected.length + refused.length > 0) lines.push('');
  if (corrected.length > 0) {
    const rows = corrected.map(({ shard, key, before, after }) => [
      ...[shard, key, valuesText(before), valuesText(after)],
    ]);
    lines.push(table(['shard', dryRun ? 'to be corrected' : 'corrected', 'before', 'after'], rows));
    lines.push('');
  }
  if (refused.length > 0) {
    const rows = refused.map(({ shard, key, problem, why }) => [
      ...[shard ?? 'all', key, problem, why],
    ]);
    lines.push(table(['shard', 'refused', 'problem', 'because'], rows), '');
  }
  if (isCut) lines.push('more is broken than is listed: run it again');
  const verb = dryRun ? 'would be made' : 'made';
  lines.push(`${corrected.length} corrections ${verb}, ${refused.length} refused`);
  return lines.join('\n');
}

function lookedAtLines({ since, at, lastFull }: LookedAt): string[] {
  const lines = [`looked at: ${coverText({ since, at })}`];
  if (since !== null) {
    lines.push(
      `not looked at: history before ${since}, idempotency keys: --full looks at everything`,
    );
  } else if (lastFull && lastFull.findings > 0) {
    lines.push(
      `the look at everything before this one (${lastFull.at}) found ${lastFull.findings} broken`,
    );
  }
  return lines;
}

function valuesText(values: Values): string {
  const text = Object.entries(values).map(([name, value]) => `${name}=${value ?? 'none'}`);
  return text.join(' ') || 'none';
}

/** A repair or a correction that was made, with the shard whose audit_log tells of it. */
export type RecentRepair = StoredAuditEntry & { readonly shard: ShardId };

/** Lines read per shard: operators' other changes stand between them. */
const LINES_READ_MAX = 1_000;
const ACTIONS = /^(?:reconcile|correct)\./;

/** What sweeps and corrections have changed lately, newest first. @throws StoreError */
export async function recentRepairs(
  { pools }: Session,
  limit: number,
): Promise<readonly RecentRepair[]> {
  const perShard = await Promise.all(
    pools.shards.map(async (shard) => {
      const lines = await listAuditEntries(shard, {}, LINES_READ_MAX);
      return lines.map((line) => ({ ...line, shard: shard.id }));
    }),
  );
  return perShard
    .flat()
    .filter(({ action }) => ACTIONS.test(action))
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
    .slice(0, limit);
}

export function printRecent(recent: readonly RecentRepair[]): string {
  if (recent.length === 0) return 'nothing was repaired lately';
  const rows = recent.map(
    ({ createdAt, shard, actor, action, transferId, accountId, reason, before, after }) => [
      ...[createdAt, shard, actor, action, transferId ?? accountId ?? '', reason],
      ...[JSON.stringify(before), JSON.stringify(after)],
    ],
  );
  const head = ['repaired lately', 'shard', 'by', 'what', 'of', 'reason', 'before', 'after'];
  return table(head, rows);
}
