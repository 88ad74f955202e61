import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import type { BatchVerdict } from './ports.js';

/** A newer release is being rolled out: its processes will take the partition over. */
const PAUSE_MS = 30_000;

/**
 * Tells that a message has a schema which only a newer release knows.
 * @param where the partition, and what else the log is to say
 * @param processed the messages before it, which are done
 */
export function stopAtNewerSchema(
  { metrics, log }: { readonly metrics: Metrics; readonly log: Logger },
  where: { readonly topic: string; readonly partition: number; readonly schema?: number },
  processed: number,
): BatchVerdict {
  metrics.errorsTotal.inc({ kind: 'unknown_schema', shard: '' });
  log.error('a newer release writes here: the partition stops until one reads it', {
    ...where,
    retryAfterMs: PAUSE_MS,
  });
  return { processed, retryAfterMs: PAUSE_MS, stops: true };
}
