import type { Timestamp } from '@surety/contracts';
import {
  moveVerifiedPoint,
  readVerifiedPoint,
  recordFullCheck,
  upsertVerifiedAccounts,
  upsertVerifiedOpenTransfers,
} from '@surety/db';
import type { ShardPools, VerifiedPoint } from '@surety/db';
import { PROJECTION_PATIENCE_MS, runAll } from './run-checks.js';
import type { GiveWay } from '../give-way.js';
import type { CheckOptions } from './run-checks.js';
import { withScope } from './scope.js';
import type { CheckScope } from './scope.js';
import { eachChangedPage } from './since/accounts.js';
import type { JudgedPages } from './since/judged-pages.js';
import { runSince } from './since/run-since.js';
import { eachOpenPage } from './since/transfers.js';
import type { CheckResult } from './types.js';

/** What is looked at: what has happened since the verified point, or everything. */
export type CheckForm = 'since' | 'full';

export interface CheckRun {
  readonly form: CheckForm;
  readonly ok: boolean;
  /** The instant up to which all was proven before; null where this run looked at everything. */
  readonly since: Timestamp | null;
  /** The instant that this run has looked at, by the clock that is furthest behind. */
  readonly at: Timestamp;
  /** Whether `at` is the verified point now. */
  readonly isVerified: boolean;
  /** What the last look at everything found before this run, and when; null before the first. */
  readonly lastFull: { readonly at: Timestamp; readonly findings: number } | null;
  readonly results: readonly CheckResult[];
  readonly ms: number;
}

export interface SystemCheckOptions extends CheckOptions {
  readonly form: CheckForm;
  /** Of whoever checks again and again; left out, what the last check has read is read again. */
  readonly judged?: JudgedPages | undefined;
  /** Of whoever is in no hurry. */
  readonly giveWay?: GiveWay;
}

/**
 * Proves what has happened since the verified point, or everything, and moves the point where all
 * checks have held. Without a point on every shard everything is looked at. A run of only some checks
 * looks at everything for these, and moves nothing.
 * @throws StoreError where a shard is away: then nothing is known.
 */
export async function checkSystem(
  pools: ShardPools,
  options: SystemCheckOptions,
): Promise<CheckRun> {
  const { only = [], projectionPatienceMs = PROJECTION_PATIENCE_MS } = options;
  const beganAt = performance.now();
  // Read before the instant is taken: an older time only means that more is looked at next time.
  const points = await Promise.all(pools.shards.map(readVerifiedPoint));
  const since = only.length === 0 && options.form === 'since' ? oldestPoint(points) : null;
  const { giveWay } = options;
  return withScope(pools, { projectionPatienceMs, giveWay }, async (scope) => {
    const results =
      since === null
        ? await runAll(scope, only)
        : await runSince(scope, Date.parse(since), options.judged);
    const ok = results.every((result) => result.ok);
    const form = since === null ? 'full' : 'since';
    if (only.length === 0) await remember({ scope, points, results, form, ok });
    return {
      ...{ form, ok, since, at: earliest(points.map(({ now }) => now)) },
      isVerified: ok && only.length === 0,
      ...{ lastFull: lastFullOf(points), results, ms: performance.now() - beganAt },
    };
  });
}

/** The oldest of the shards' points; null where one of them has none. */
export function oldestPoint(points: readonly VerifiedPoint[]): Timestamp | null {
  const times = points.map(({ verifiedAt }) => verifiedAt).filter((at) => at !== null);
  return times.length < points.length ? null : earliest(times);
}

/** All of them are UTC and equally long: their order is that of their texts. */
function earliest(times: readonly Timestamp[]): Timestamp {
  return [...times].sort()[0] as Timestamp;
}

/** The look at everything that is furthest back; null where a shard was never looked at so. */
export function lastFullOf(points: readonly VerifiedPoint[]): CheckRun['lastFull'] {
  const times = points.map(({ fullAt }) => fullAt).filter((at) => at !== null);
  if (times.length < points.length) return null;
  return { at: earliest(times), findings: Math.max(...points.map((point) => point.fullFindings)) };
}

interface Outcome {
  readonly scope: CheckScope;
  readonly points: readonly VerifiedPoint[];
  readonly results: readonly CheckResult[];
  readonly form: CheckForm;
  readonly ok: boolean;
}

async function remember({ scope, points, results, form, ok }: Outcome): Promise<void> {
  const findings = results.reduce((sum, result) => sum + result.findings.length, 0);
  for (const [at, snapshot] of scope.snapshots.entries()) {
    const { now } = points[at] as VerifiedPoint;
    const shard = scope.liveShard(snapshot.id);
    if (ok) await movePoint(scope, at, now);
    if (form === 'full') await recordFullCheck(shard, now, findings);
  }
}

/**
 * Writes down what the instant looked like: positions first, the point last. An account's position is
 * right by itself, so that an interruption between two pages leaves nothing wrong.
 */
async function movePoint(scope: CheckScope, at: number, now: Timestamp): Promise<void> {
  const snapshot = scope.snapshots[at] as CheckScope['snapshots'][number];
  const shard = scope.liveShard(snapshot.id);
  for await (const page of eachChangedPage(snapshot, scope.map)) {
    await upsertVerifiedAccounts(shard, page);
  }
  for await (const page of eachOpenPage(snapshot)) {
    await upsertVerifiedOpenTransfers(shard, page, now);
  }
  await moveVerifiedPoint(shard, now);
}
