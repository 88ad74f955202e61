import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** From a batch of one on an idle system to a transfer that waited out an outage. */
const SECONDS_BUCKETS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60,
];
const ITEMS_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 400, 500, 1000];

interface FlowMetrics {
  readonly stepsTotal: Counter<'step' | 'outcome' | 'shard'>;
  readonly errorsTotal: Counter<'kind' | 'shard'>;
  /** Unit: worker, ingress, relay, projector. */
  readonly batchItems: Histogram<'unit'>;
  readonly stepSeconds: Histogram<'step'>;
  readonly endToEndSeconds: Histogram<'outcome'>;
  readonly sqlStatementsTotal: Counter;
  readonly sqlCommitsTotal: Counter;
}

interface StateMetrics {
  readonly outboxRows: Gauge<'shard'>;
  readonly outboxAgeSeconds: Gauge<'shard'>;
  readonly consumerLag: Gauge<'topic' | 'partition'>;
  readonly heldMinor: Gauge<'shard' | 'currency'>;
  readonly breakerOpen: Gauge<'shard'>;
  readonly queueDepth: Gauge<'shard'>;
  readonly workerStepOn: Gauge<'step'>;
}

interface ReconciliationMetrics {
  readonly reconciliationRunsTotal: Counter<'kind'>;
  readonly reconciliationRepairsTotal: Counter<'kind'>;
  readonly reconciliationFindings: Gauge<'check' | 'form'>;
  readonly checkDuration: Gauge<'form'>;
  readonly verifiedPointTime: Gauge;
  readonly fullCheckTime: Gauge;
}

interface SealMetrics {
  readonly sealedEntriesTotal: Counter<'shard'>;
  readonly sealedUntilSeconds: Gauge<'shard'>;
  readonly unsealedEntries: Gauge<'shard'>;
  readonly verificationFindings: Gauge<'shard'>;
}

/**
 * The delays of the event loop are taken by a timer that wakes the process so often, whether or not
 * anybody looks. They include this pause: an idle loop shows it as its delay.
 */
const LOOP_DELAY_SAMPLE_MS = 50;

/** All metrics of a process. Every name begins with `surety_` and ends with its unit. */
export interface Metrics extends FlowMetrics, StateMetrics, ReconciliationMetrics, SealMetrics {
  readonly registry: Registry;
}

/**
 * A registry of its own (tests run several processes in one), with the default metrics of Node.
 * Every series carries the label `process`. Those that a process never touches stay empty.
 */
export function createMetrics(process: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_DELAY_SAMPLE_MS });
  return {
    registry,
    ...flowMetrics(registry),
    ...stateMetrics(registry),
    ...reconciliationMetrics(registry),
    ...sealMetrics(registry),
  };
}

function flowMetrics(registry: Registry): FlowMetrics {
  const registers = [registry];
  return {
    stepsTotal: new Counter({
      name: 'surety_steps_total',
      help: 'Steps of the saga that took effect or were found applied, by outcome.',
      labelNames: ['step', 'outcome', 'shard'],
      registers,
    }),
    errorsTotal: new Counter({
      name: 'surety_errors_total',
      help: 'Operational errors, by kind.',
      labelNames: ['kind', 'shard'],
      registers,
    }),
    batchItems: new Histogram({
      name: 'surety_batch_items',
      help: 'Items handled together: in one transaction, or in one publish.',
      labelNames: ['unit'],
      buckets: ITEMS_BUCKETS,
      registers,
    }),
    stepSeconds: new Histogram({
      name: 'surety_step_seconds',
      help: 'Time from the previous event of the transfer to the commit of this step.',
      labelNames: ['step'],
      buckets: SECONDS_BUCKETS,
      registers,
    }),
    endToEndSeconds: new Histogram({
      name: 'surety_end_to_end_seconds',
      help: 'Time from the request of a transfer to its end, by outcome.',
      labelNames: ['outcome'],
      buckets: SECONDS_BUCKETS,
      registers,
    }),
    sqlStatementsTotal: new Counter({
      name: 'surety_sql_statements_total',
      help: 'Statements sent to the shards.',
      registers,
    }),
    sqlCommitsTotal: new Counter({
      name: 'surety_sql_commits_total',
      help: 'Transactions committed on the shards.',
      registers,
    }),
  };
}

function stateMetrics(registry: Registry): StateMetrics {
  const registers = [registry];
  return {
    outboxRows: new Gauge({
      name: 'surety_outbox_rows',
      help: 'Messages that wait in the outbox of a shard.',
      labelNames: ['shard'],
      registers,
    }),
    outboxAgeSeconds: new Gauge({
      name: 'surety_outbox_age_seconds',
      help: 'Age of the oldest message in the outbox of a shard.',
      labelNames: ['shard'],
      registers,
    }),
    consumerLag: new Gauge({
      name: 'surety_consumer_lag_messages',
      help: 'Messages of a partition that this process has yet to handle.',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    heldMinor: new Gauge({
      name: 'surety_held_minor',
      help: 'Sum of open holds of a shard, in minor units (rounded: a gauge is a double).',
      labelNames: ['shard', 'currency'],
      registers,
    }),
    breakerOpen: new Gauge({
      name: 'surety_breaker_open',
      help: '1 while the circuit breaker of a shard is open, else 0.',
      labelNames: ['shard'],
      registers,
    }),
    queueDepth: new Gauge({
      name: 'surety_queue_items',
      help: 'Items that wait for a transaction on a shard.',
      labelNames: ['shard'],
      registers,
    }),
    workerStepOn: new Gauge({
      name: 'surety_worker_step_on',
      help: '1 for each step that this process runs, 0 for those that it leaves to others.',
      labelNames: ['step'],
      registers,
    }),
  };
}

function reconciliationMetrics(registry: Registry): ReconciliationMetrics {
  const registers = [registry];
  return {
    reconciliationRunsTotal: new Counter({
      name: 'surety_reconciliation_runs_total',
      help: 'Sweeps and checks that ran to their end, by kind.',
      labelNames: ['kind'],
      registers,
    }),
    reconciliationRepairsTotal: new Counter({
      name: 'surety_reconciliation_repairs_total',
      help: 'Transfers driven on by the reconciler, by kind of repair.',
      labelNames: ['kind'],
      registers,
    }),
    reconciliationFindings: new Gauge({
      name: 'surety_reconciliation_findings_rows',
      help: 'Rows that break a promise, as of the last run of the check in this form. Anything but 0 is an alarm.',
      labelNames: ['check', 'form'],
      registers,
    }),
    checkDuration: new Gauge({
      name: 'surety_check_duration_seconds',
      help: 'How long the last run of all checks took: since the verified point, or full.',
      labelNames: ['form'],
      registers,
    }),
    verifiedPointTime: new Gauge({
      name: 'surety_verified_point_timestamp_seconds',
      help: 'The instant up to which all checks have held, in Unix time; 0 before the first.',
      registers,
    }),
    fullCheckTime: new Gauge({
      name: 'surety_full_check_timestamp_seconds',
      help: 'When everything was looked at last, in Unix time; 0 before the first.',
      registers,
    }),
  };
}

function sealMetrics(registry: Registry): SealMetrics {
  const registers = [registry];
  const labelNames = ['shard'] as const;
  return {
    sealedEntriesTotal: new Counter({
      name: 'surety_sealed_entries_total',
      help: 'Ledger entries that were sealed.',
      labelNames,
      registers,
    }),
    sealedUntilSeconds: new Gauge({
      name: 'surety_sealed_until_seconds',
      help: 'Unix time of the last run that left no sound entry of the shard unsealed.',
      labelNames,
      registers,
    }),
    unsealedEntries: new Gauge({
      name: 'surety_unsealed_rows',
      help: 'Entries that the sealer refused, as of its last run. Anything but 0 is an alarm.',
      labelNames,
      registers,
    }),
    verificationFindings: new Gauge({
      name: 'surety_verification_findings_rows',
      help: 'Sealed rows that are not what was sealed. Anything but 0 is an alarm.',
      labelNames,
      registers,
    }),
  };
}

/** What counts the statements, commits and retries of database pools, in the form that pools ask for. */
export interface DatabaseCounters {
  statement(): void;
  commit(): void;
  /** @param code the number of the error that made a transaction begin again */
  retry(code: string): void;
}

export function databaseCounters(metrics: Metrics): DatabaseCounters {
  return {
    statement: () => {
      metrics.sqlStatementsTotal.inc();
    },
    commit: () => {
      metrics.sqlCommitsTotal.inc();
    },
    retry: (code) => {
      metrics.errorsTotal.inc({ kind: `retry_${code}`, shard: '' });
    },
  };
}
