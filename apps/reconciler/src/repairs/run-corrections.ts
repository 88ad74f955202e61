import { readVerifiedPoint } from '@surety/db';
import type { ShardPools } from '@surety/db';
import { checkSystem } from '../checks/check-system.js';
import type { CheckForm, CheckRun } from '../checks/check-system.js';
import { correctAccount } from './correct-account.js';
import { ACCOUNT_IN_DOUBT, correctBalances, correctStatuses } from './correct-projections.js';
import type { JudgedProjection } from './correct-projections.js';
import { correctTransfer } from './correct-transfer.js';
import type { CorrectionContext } from './context.js';
import { correctionContext } from './context.js';
import { HOLDS_DISAGREE } from './judge-account.js';
import { casesOf } from './subjects.js';
import type { Case, Subject } from './subjects.js';
import { refused } from './verdict.js';
import type { Corrected, CorrectionAuthor, Refused, Verdict } from './verdict.js';

/** Each pass ends with a look at what is left: bounds a command that meets more than one pass takes. */
const PASSES_MAX = 20;

export interface CorrectionRunOptions extends CorrectionAuthor {
  /** `since` is widened to everything as long as the last look at everything found something. */
  readonly form: CheckForm;
  readonly dryRun: boolean;
  readonly holdTimeoutMs: number;
  readonly projectionPatienceMs?: number;
}

/** What was looked at: what it leaves out, nothing is known of. */
export type LookedAt = Pick<CheckRun, 'form' | 'since' | 'at' | 'lastFull'>;

export interface CorrectionReport extends LookedAt {
  readonly corrected: readonly Corrected[];
  readonly refused: readonly Refused[];
  /** More is broken than was listed: run it again. */
  readonly isCut: boolean;
}

/**
 * Sets right what has one right answer and refuses the rest, item by item. What the checks find only
 * says where to look: each correction locks the rows, reads the evidence again and is written with its
 * line of audit_log, or not at all. Transfers come first, because accounts follow from their holds,
 * and projections last, because they follow from both.
 * @throws StoreError where a shard is away.
 */
export async function runCorrections(
  pools: ShardPools,
  options: CorrectionRunOptions,
): Promise<CorrectionReport> {
  const context = correctionContext(pools, options);
  const form = await formOf(pools, options.form);
  const corrected: Corrected[] = [];
  let first: CheckRun | undefined;
  for (let pass = 1; ; pass += 1) {
    const run = await checkSystem(pools, { ...options, form });
    first ??= run;
    const outcome = await correctOnce(context, run);
    corrected.push(...outcome.corrected);
    const isLast = options.dryRun || outcome.corrected.length === 0 || pass >= PASSES_MAX;
    if (!isLast) continue;
    const isCut = run.results.some((result) => result.isCut) || outcome.corrected.length > 0;
    return {
      // The first pass looked furthest back: a check beside this one may have moved the point since.
      ...{ form: first.form, since: first.since, at: run.at, lastFull: first.lastFull },
      corrected,
      refused: outcome.refused,
      isCut: options.dryRun ? run.results.some((result) => result.isCut) : isCut,
    };
  }
}

/**
 * What a look at everything has found may lie before the verified point, which moves on without it.
 * A look at what is new would leave out what is known to be broken, and find nothing wrong.
 */
async function formOf(pools: ShardPools, asked: CheckForm): Promise<CheckForm> {
  if (asked === 'full') return 'full';
  const points = await Promise.all(pools.shards.map(readVerifiedPoint));
  return points.some(({ fullFindings }) => fullFindings > 0) ? 'full' : 'since';
}

interface Outcome {
  readonly corrected: Corrected[];
  readonly refused: Refused[];
}

/** Verdicts by subject, so that five findings about one transfer are one correction. */
class Docket {
  readonly #verdicts = new Map<string, Verdict<unknown>>();

  has(subject: Subject): boolean {
    return this.#verdicts.has(nameOf(subject));
  }

  of(subject: Subject): Verdict<unknown> | undefined {
    return this.#verdicts.get(nameOf(subject));
  }

  put(subject: Subject, verdict: Verdict<unknown>): void {
    this.#verdicts.set(nameOf(subject), verdict);
  }
}

function nameOf({ kind, id }: Subject): string {
  return `${kind} ${id}`;
}

async function correctOnce(context: CorrectionContext, run: CheckRun): Promise<Outcome> {
  const cases = casesOf(run.results);
  const docket = new Docket();
  const corrected: Corrected[] = [];
  const take = (subject: Subject, verdict: Verdict<unknown>, done?: Corrected): void => {
    docket.put(subject, verdict);
    if (done) corrected.push(done);
  };
  for (const id of idsOf(cases, 'transfer')) {
    const { verdict, done } = await correctTransfer(context, id);
    take({ kind: 'transfer', id }, verdict, done);
  }
  const planned = new Set(corrected.flatMap(({ accounts }) => accounts ?? []));
  for (const id of idsOf(cases, 'account')) {
    const { verdict, done } = await correctAccount(context, id);
    const waits = verdict.kind === 'refused' && verdict.why === HOLDS_DISAGREE && planned.has(id);
    take({ kind: 'account', id }, waits ? { kind: 'correct', ...NOTHING } : verdict, done);
  }
  for (const { id, verdict, done } of await correctProjections(context, cases, docket)) {
    take(id, verdict, done);
  }
  // The sum over transit is made of states: it is judged anew once these are right.
  const judged = cases.filter(({ check }) => check !== 'transit' || planned.size === 0);
  return { corrected, refused: judged.flatMap((one) => refusalOf(one, docket) ?? []) };
}

/** Of accounts and transfers that nothing is said against: what is in doubt is no truth to copy. */
async function correctProjections(
  context: CorrectionContext,
  cases: readonly Case[],
  docket: Docket,
): Promise<readonly JudgedProjection[]> {
  const inDoubt = idsOf(cases, 'account');
  const balances = idsOf(cases, 'balance');
  const waiting = balances.filter((id) => inDoubt.includes(id));
  const statuses = idsOf(cases, 'status');
  const following = statuses.filter(
    (id) => docket.of({ kind: 'transfer', id })?.kind === 'correct',
  );
  return [
    ...following.map((id) => ({
      ...{ id: { kind: 'status', id } as const, verdict: { kind: 'correct', ...NOTHING } as const },
    })),
    ...waiting.map((id) => ({
      id: { kind: 'balance', id } as const,
      verdict: isInDoubt(docket.of({ kind: 'account', id }))
        ? refused(ACCOUNT_IN_DOUBT)
        : ({ kind: 'correct', ...NOTHING } as const),
    })),
    ...(await correctBalances(
      context,
      balances.filter((id) => !inDoubt.includes(id)),
    )),
    ...(await correctStatuses(
      context,
      statuses.filter((id) => !following.includes(id)),
    )),
  ];
}

function isInDoubt(verdict: Verdict<unknown> | undefined): boolean {
  return verdict?.kind !== 'correct';
}

/**
 * Sets right only the projections that a check has found, from accounts and transfers that it found
 * nothing wrong with.
 * @throws StoreError where a shard is away.
 */
export async function correctFoundProjections(
  pools: ShardPools,
  run: Pick<CheckRun, 'results'>,
  author: CorrectionAuthor,
): Promise<readonly Corrected[]> {
  const context = correctionContext(pools, { ...author, dryRun: false, holdTimeoutMs: 0 });
  const judged = await correctProjections(context, casesOf(run.results), new Docket());
  return judged.flatMap(({ done }) => done ?? []);
}

const NOTHING = { correction: undefined, before: {}, after: {} };

function idsOf(cases: readonly Case[], kind: Subject['kind']): readonly string[] {
  const ids = cases.flatMap(({ subject }) => (subject?.kind === kind ? [subject.id] : []));
  return [...new Set(ids)].sort();
}

/** Why nothing is done about a finding whose row has nothing to set right by itself. */
const REASONS: Readonly<Record<string, string>> = {
  conservation: 'a sum says that legs are wrong, not which: surety verify names the entry',
  transit: 'a sum says that legs are wrong, not which: surety verify names the entry',
  'step-legs': 'legs are never written again: surety verify names the entry',
  keys: 'nothing else says which key made which transfer',
  decisions: 'a decision is written once and never changed: surety transfer show tells both sides',
  credits: 'a decision is written once and never changed: surety transfer show tells both sides',
  histories: 'an event is written once and never changed: surety transfer show tells both sides',
  slots: 'a row does not change its slot or its shard: whatever put it there did so past the steps',
  outbox: 'what is published is never rewritten: the stored event is sent again by the sweeps',
  overdraft: 'money was paid out that was not there: a person has to get it back',
};

function refusalOf({ check, finding, subject }: Case, docket: Docket): Refused | undefined {
  const verdict = subject && docket.of(subject);
  if (verdict?.kind === 'correct') return undefined;
  const { shard, key, problem } = finding;
  const why =
    verdict?.kind === 'refused'
      ? verdict.why
      : (REASONS[check] ?? 'what was found is not there any more: look again');
  return { shard, key, check, problem, why };
}
