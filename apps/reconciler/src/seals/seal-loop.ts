import type { Shard } from '@surety/db';
import { Loop } from '@surety/runtime';
import type { Logger, Metrics } from '@surety/runtime';
import { givingWay } from '../give-way.js';
import { findingText } from './finding-text.js';
import { RollingVerification } from './rolling-verification.js';
import type { Turn } from './rolling-verification.js';
import { sealShard } from './seal-shard.js';
import type { SealPass } from './seal-shard.js';

export interface SealLoopOptions {
  readonly shard: Shard;
  readonly intervalMs: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Whether this process is the one that seals the shard. */
  readonly isLeader: () => Promise<boolean>;
}

/** A run that failed is tried again within this time. */
const PAUSE_MAX_MS = 60_000;
/** Findings logged per run: the metric says how many there are, the command names them all. */
const LOGGED_MAX = 10;
const MS_PER_SECOND = 1_000;

/**
 * Seals what was posted, then compares a part of what is sealed. Two processes at once are harmless:
 * the lease saves work, the number of a seal is taken once.
 */
export function sealLoop(options: SealLoopOptions): Loop {
  const { shard, intervalMs, log, metrics, isLeader } = options;
  const label = { shard: String(shard.id) };
  const verification = new RollingVerification(shard);
  const loop: Loop = new Loop({
    intervalMs,
    backoff: { minMs: Math.min(intervalMs, MS_PER_SECOND), maxMs: PAUSE_MAX_MS },
    run: async () => {
      let pass: SealPass | undefined;
      const isStopping = (): boolean => loop.isStopping;
      const giveWay = givingWay({ intervalMs, isStopping });
      while (!loop.isStopping && (await isLeader())) {
        pass = await sealShard(shard, { giveWay, mayGoOn: () => !isStopping() });
        reportPass(options, pass);
        if (!pass.isBehind) break;
      }
      if (!pass) forget(options);
      else if (!loop.isStopping) reportTurn(options, await verification.turn());
    },
    failed: (error) => {
      metrics.errorsTotal.inc({ kind: 'reconcile_seal', ...label });
      log.warn(`the seals of shard ${shard.id} failed and are tried again`, { ...label, error });
    },
  });
  return loop;
}

/** What was said as leader would stay for ever. */
function forget({ shard, metrics }: SealLoopOptions): void {
  const label = { shard: String(shard.id) };
  metrics.sealedUntilSeconds.remove(label);
  metrics.unsealedEntries.remove(label);
  metrics.verificationFindings.remove(label);
}

function reportPass({ shard, log, metrics }: SealLoopOptions, pass: SealPass): void {
  const label = { shard: String(shard.id) };
  metrics.sealedEntriesTotal.inc(label, Number(pass.entries));
  metrics.unsealedEntries.set(label, Number(pass.refusedEntries));
  if (!pass.isBehind) metrics.sealedUntilSeconds.set(label, Date.now() / MS_PER_SECOND);
  // The hash in the log is the anchor that lies outside of the database.
  for (const { seal, entries, hash } of pass.seals) {
    log.info('ledger sealed', { ...label, seal: String(seal), entries: String(entries), hash });
  }
  for (const fault of pass.faults.slice(0, LOGGED_MAX)) {
    log.error(`entry not sealed: ${findingText(fault)}`, { ...label });
  }
}

function reportTurn({ shard, log, metrics }: SealLoopOptions, turn: Turn): void {
  const label = { shard: String(shard.id) };
  metrics.verificationFindings.set(label, turn.roundFindings);
  for (const finding of turn.findings.slice(0, LOGGED_MAX)) {
    log.error(`not what was sealed: ${findingText(finding)}`, { ...label });
  }
  metrics.reconciliationRunsTotal.inc({ kind: 'seal' });
}
