import { describeError } from '@surety/runtime';
import type { Logger, Metrics } from '@surety/runtime';
import type { CheckForm, CheckRun } from './checks/check-system.js';
import { CHECK_NAMES } from './checks/run-checks.js';
import { detailText } from './cli/print-checks.js';
import type { PatrolListener } from './patrol/ports.js';
import type { Repair, RepairListener, Trouble } from './sweeps/repair.js';

/** Counts and logs what the sweeps do. */
export function telemetryListener(log: Logger, metrics: Metrics): RepairListener {
  return {
    repaired: ({ kind, cause, shard, transferId, traceId, before, after }: Repair) => {
      metrics.reconciliationRepairsTotal.inc({ kind });
      log.info(`repair: ${kind}`, { transferId, traceId, shard, cause, before, after });
    },
    trouble: ({ kind, shard, transferId, traceId, message, error }: Trouble) => {
      metrics.errorsTotal.inc({ kind: `reconcile_${kind}`, shard: String(shard) });
      const fields = { shard, transferId, traceId };
      const cause = error === undefined ? {} : { error: describeError(error) };
      // A shard that is away comes back; everything else needs a person.
      log.log(kind === 'shard_away' ? 'warn' : 'error', message, { ...fields, ...cause });
    },
  };
}

const MS_PER_SECOND = 1_000;

/** Counts and logs what the patrol does and finds. */
export function patrolListener(log: Logger, metrics: Metrics): PatrolListener {
  const listener = telemetryListener(log, metrics);
  return {
    trouble: (trouble) => {
      listener.trouble(trouble);
    },
    projected: (shard, { transferId, accountId, before, after }) => {
      metrics.reconciliationRepairsTotal.inc({ kind: 'project' });
      log.info('repair: project', { transferId, accountId, shard, before, after });
    },
    keysRemoved: (shard, count) => {
      metrics.reconciliationRepairsTotal.inc({ kind: 'remove_key' }, count);
      log.debug('expired idempotency keys were removed', { shard, count });
    },
    strays: (shard, count) => {
      const check = `stray_decisions_${shard}`;
      metrics.reconciliationFindings.set({ check, form: 'patrol' }, count);
    },
  };
}

/** Findings logged per check: the metric says how many there are, the command names them all. */
const FINDINGS_LOGGED_MAX = 10;

/** Who does not check any more must not go on telling what was found: others check now. */
export function forgetChecks(metrics: Metrics): void {
  for (const form of ['since', 'full'] satisfies CheckForm[]) {
    for (const check of CHECK_NAMES) metrics.reconciliationFindings.remove({ check, form });
  }
}

/** The series of the other form stay as they are: what it found is not gone because this one is clean. */
export function reportChecks(run: CheckRun, log: Logger, metrics: Metrics): void {
  const { form, ms, results } = run;
  metrics.checkDuration.set({ form }, ms / MS_PER_SECOND);
  for (const { check, promise, findings } of results) {
    metrics.reconciliationFindings.set({ check, form }, findings.length);
    for (const finding of findings.slice(0, FINDINGS_LOGGED_MAX)) {
      const { shard, key, problem } = finding;
      const text = `promise broken: ${check}: ${key}: ${problem}`;
      log.error(text, { shard, promise, values: detailText(finding) });
    }
  }
}
