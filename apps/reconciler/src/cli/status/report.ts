import type { HeldTotal } from '@surety/db';
import type { ProcessStatus } from './processes.js';
import type { AnsweringShard, ShardStatus } from './shard-status.js';

export interface StatusReport {
  /** By the clock of whoever asks. */
  readonly at: string;
  /** Null where it is not known where the processes are. */
  readonly processes: readonly ProcessStatus[] | null;
  readonly shards: readonly ShardStatus[];
  /** Open holds of all shards that answer. */
  readonly held: readonly HeldTotal[];
  /** What a person should look at, in words; empty where nothing stands out. */
  readonly attention: readonly string[];
}

/** From when on something that waits is worth a person's look. */
export interface Patience {
  /** A message waits this long in the outbox. */
  readonly outboxSeconds: number;
  /** A transfer stands open this long: past every time-out that would have ended it. */
  readonly openSeconds: number;
}

/** Repairs follow within a sweep or two. */
const REPAIR_ROOM_SECONDS = 30;
const MS_PER_SECOND = 1_000;

export function patienceOf(config: {
  readonly holdTimeoutMs: number;
  readonly stallTimeoutMs: number;
}): Patience {
  return {
    outboxSeconds: config.stallTimeoutMs / MS_PER_SECOND,
    // What nobody took up is rejected after twice the hold time-out: the longest way to an end.
    openSeconds: (2 * config.holdTimeoutMs) / MS_PER_SECOND + REPAIR_ROOM_SECONDS,
  };
}

export function statusReport(
  seen: Pick<StatusReport, 'at' | 'processes' | 'shards'>,
  patience: Patience,
): StatusReport {
  const answering = seen.shards.filter((shard) => shard.answers);
  return {
    ...seen,
    held: sumByCurrency(answering.flatMap((shard) => shard.held)),
    attention: [
      ...(seen.processes ?? []).flatMap(processAttention),
      ...stepAttention(seen.processes ?? []),
      ...seen.shards.flatMap((shard) =>
        shard.answers ? shardAttention(shard, patience) : [`shard ${shard.id} is away`],
      ),
    ],
  };
}

function sumByCurrency(totals: readonly HeldTotal[]): HeldTotal[] {
  const sums = new Map<string, HeldTotal>();
  for (const { currency, sumMinor, holds } of totals) {
    const sum = sums.get(currency) ?? { currency, sumMinor: 0n, holds: 0 };
    sums.set(currency, { currency, sumMinor: sum.sumMinor + sumMinor, holds: sum.holds + holds });
  }
  return [...sums.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1));
}

function processAttention({ name, state, trouble }: ProcessStatus): string[] {
  if (state === 'ready') return [];
  return [`${name} is ${state}${trouble.length > 0 ? `: ${trouble.join(', ')}` : ''}`];
}

/**
 * Nothing of the rows shows it in time: what waits for such a step ends as expired, in good order.
 * Said only where a worker process answers: of others that are not named here nothing is known.
 */
function stepAttention(processes: readonly ProcessStatus[]): string[] {
  const told = processes.flatMap(({ steps }) => Object.entries(steps ?? {}));
  const run = new Set(told.filter(([, isOn]) => isOn).map(([step]) => step));
  const missing = [...new Set(told.map(([step]) => step))].filter((step) => !run.has(step));
  if (missing.length === 0) return [];
  const names = missing.join(', ');
  return [`no worker process that answers runs ${names}: transfers wait for it until they expire`];
}

function shardAttention(shard: AnsweringShard, patience: Patience): string[] {
  const { id, outbox, open } = shard;
  const attention: string[] = [];
  if (outbox.oldestAgeSeconds > patience.outboxSeconds) {
    attention.push(
      `shard ${id}: the outbox is ${ageText(outbox.oldestAgeSeconds)} behind: is the relay running?`,
    );
  }
  if (open.oldest && open.oldest.ageSeconds > patience.openSeconds) {
    const { transferId, ageSeconds } = open.oldest;
    attention.push(
      `shard ${id}: transfer ${transferId} stands open for ${ageText(ageSeconds)}: ` +
        'is its destination reachable, is the reconciler running?',
    );
  }
  return [...attention, ...rowAttention(shard)];
}

/** What the rows themselves say, whatever time it is. */
function rowAttention({ id, open, leases, openDeadLetters, checked }: AnsweringShard): string[] {
  const attention: string[] = [];
  const unknown = open.byState['unknown'] ?? 0;
  if (unknown > 0) attention.push(`shard ${id}: ${unknown} open transfers have no row: run check`);
  if (openDeadLetters > 0) {
    attention.push(`shard ${id}: ${openDeadLetters} open dead letters: see dlq list`);
  }
  if (checked.fullFindings > 0) {
    attention.push(
      `shard ${id}: the last full check found ${checked.fullFindings} broken: run check --full`,
    );
  }
  for (const lease of leases.filter((one) => !one.isHeld)) {
    attention.push(`shard ${id}: nobody holds the lease ${lease.name} (last: ${lease.holder})`);
  }
  return attention;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0.4s`, `12s`, `3m 5s`, `2h 10m`, `4d 3h`: as exact as a person needs it. */
export function ageText(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.floor(seconds);
  if (whole < MINUTE) return `${whole}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m ${whole % MINUTE}s`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)}h ${Math.floor((whole % HOUR) / MINUTE)}m`;
  return `${Math.floor(whole / DAY)}d ${Math.floor((whole % DAY) / HOUR)}h`;
}
