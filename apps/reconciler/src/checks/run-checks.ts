import type { ShardPools } from '@surety/db';
import { balances } from './balances.js';
import { conservation } from './conservation.js';
import { credits } from './credits.js';
import { decisions } from './decisions.js';
import { heldTotals } from './held-totals.js';
import { histories } from './histories.js';
import { holds } from './holds.js';
import { keys } from './keys.js';
import { openTransfers } from './open-transfers.js';
import { outbox } from './outbox.js';
import { overdraft } from './overdraft.js';
import { projections } from './projections.js';
import { withScope } from './scope.js';
import type { Check, CheckScope } from './scope.js';
import { slots } from './slots.js';
import { stepLegs } from './step-legs.js';
import { transit } from './transit.js';
import { Findings } from './types.js';
import type { CheckResult } from './types.js';

const CHECKS: readonly Check[] = [
  conservation,
  stepLegs,
  balances,
  heldTotals,
  overdraft,
  holds,
  openTransfers,
  histories,
  keys,
  decisions,
  credits,
  transit,
  slots,
  outbox,
  projections,
];

export const CHECK_NAMES: readonly string[] = CHECKS.map((check) => check.name);

/** A projection at rest reaches the instant within this time, or it never will by itself. */
export const PROJECTION_PATIENCE_MS = 10_000;

export interface CheckOptions {
  /** Names of checks; all of them where the list is empty or left out. */
  readonly only?: readonly string[];
  readonly projectionPatienceMs?: number;
}

/**
 * Proves the promises over all shards at one instant, over everything that ever happened, one check
 * after the other. Moves no verified point: `checkSystem` does.
 * @throws StoreError where a shard is away: then nothing is known.
 */
export function runChecks(
  pools: ShardPools,
  { only = [], projectionPatienceMs = PROJECTION_PATIENCE_MS }: CheckOptions = {},
): Promise<readonly CheckResult[]> {
  return withScope(pools, { projectionPatienceMs }, (scope) => runAll(scope, only));
}

/** All checks in a scope that is open already, or only those that are named. */
export async function runAll(
  scope: CheckScope,
  only: readonly string[] = [],
): Promise<readonly CheckResult[]> {
  const chosen = CHECKS.filter((check) => only.length === 0 || only.includes(check.name));
  const results: CheckResult[] = [];
  for (const check of chosen) results.push(await run(check, scope));
  return results;
}

async function run(check: Check, scope: CheckScope): Promise<CheckResult> {
  const beganAt = performance.now();
  const findings = new Findings();
  await check.inspect(scope, findings);
  return {
    check: check.name,
    promise: check.promise,
    ok: findings.list.length === 0,
    findings: findings.list,
    isCut: findings.isCut,
    rowsChecked: findings.rowsChecked,
    notes: findings.notes,
    ms: performance.now() - beganAt,
  };
}
