import type { TransferId } from '@surety/domain';
import { firstTransferIdOf } from '@surety/domain';
import { staleBalances, strayBalances } from '@surety/db';
import { balances } from '../balances.js';
import { credits } from '../credits.js';
import { decisions } from '../decisions.js';
import { heldTotals } from '../held-totals.js';
import { histories } from '../histories.js';
import { holds } from '../holds.js';
import { openTransfers } from '../open-transfers.js';
import { outbox } from '../outbox.js';
import { overdraft } from '../overdraft.js';
import { judgeLag } from '../lag.js';
import type { Behind } from '../lag.js';
import { projections, staleBalance, strayFinding } from '../projections.js';
import { onEveryShard } from '../scope.js';
import type { Check, CheckScope } from '../scope.js';
import { slots } from '../slots.js';
import { stepLegs } from '../step-legs.js';
import type { CheckResult } from '../types.js';
import { lookAtAccounts } from './accounts.js';
import { JudgedPages } from './judged-pages.js';
import type { JudgedPage } from './judged-pages.js';
import { Sink } from './sink.js';
import {
  STORY_CHECKS,
  lookAtNewTransfers,
  lookAtOpenTransfers,
  lookAtTransfers,
} from './transfers.js';

/**
 * How far before the verified point the ids begin that are looked at again. The time in an id is of
 * the process that made it: its clock may be behind, and the request may have waited. A transfer that
 * is hidden by more than this was begun and ended between two checks; if it moved money, its legs
 * lead to it all the same. What the check before has read of it is counted and not read (JudgedPages).
 */
export const ID_TIME_MARGIN_MS = 60_000;

/** These read what is open and what accounts are now, and no history: they are the same in both forms. */
const STATE_CHECKS: readonly Check[] = [heldTotals, overdraft, holds, outbox];
const SINCE_CHECKS = [
  ...[stepLegs, balances, heldTotals, overdraft, holds, openTransfers],
  ...[histories, decisions, credits, slots, outbox, projections],
];

export const SINCE_CHECK_NAMES: readonly string[] = SINCE_CHECKS.map((check) => check.name);

/**
 * Proves what has happened since the verified point, and everything that is open. Reads accounts,
 * what is open, and the rows of transfers and legs since; nothing of what was verified before.
 * @param judged what the check before this one has read, and from now on what this one has
 * @throws StoreError where a shard is away: then nothing is known.
 */
export async function runSince(
  scope: CheckScope,
  verifiedAtMs: number,
  judged: JudgedPages = new JudgedPages(),
): Promise<readonly CheckResult[]> {
  const sink = new Sink(SINCE_CHECKS);
  const times = new Map<string, number>();
  const behind: Behind[] = [];
  const look = { scope, sink, bound: firstTransferIdOf(verifiedAtMs - ID_TIME_MARGIN_MS), behind };
  const timed = async (names: readonly string[], work: () => Promise<void>): Promise<void> => {
    const beganAt = performance.now();
    await work();
    for (const name of names) times.set(name, performance.now() - beganAt);
  };
  const older = new Set<TransferId>();
  let pages: readonly JudgedPage[] = [];
  await timed(['balances'], () =>
    onEveryShard(scope, async (snapshot) => {
      for (const id of await lookAtAccounts(snapshot, look)) older.add(id);
    }),
  );
  await timed(STORY_CHECKS, async () => {
    const read = await lookAtNewTransfers(look, judged);
    pages = read.pages;
    for (const snapshot of scope.snapshots) {
      await lookAtOpenTransfers(snapshot, look, read.readFrom);
    }
    await lookAtTransfers(look, [...older]);
  });
  for (const check of STATE_CHECKS) {
    await timed([check.name], () => check.inspect(scope, sink.of(check.name)));
  }
  await timed(['projections'], () => lookAtProjectedBalances(scope, sink, behind));
  const results = sink.results((check) => times.get(check) ?? 0);
  if (results.every(({ ok }) => ok)) judged.keep(pages);
  else judged.forget();
  return results;
}

async function lookAtProjectedBalances(
  scope: CheckScope,
  sink: Sink,
  behind: Behind[],
): Promise<void> {
  const findings = sink.of('projections');
  findings.rowsChecked += await scope.count('balances');
  await onEveryShard(scope, async (snapshot) => {
    for (const row of await staleBalances(snapshot)) {
      const stale = staleBalance(snapshot, row);
      if ('version' in stale) behind.push(stale);
      else sink.tell('projections', stale);
    }
    for (const row of await strayBalances(snapshot)) {
      sink.tell('projections', strayFinding(snapshot, row));
    }
  });
  if (behind.length > 0) await judgeLag(scope, behind, findings);
}
