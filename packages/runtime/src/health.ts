import { Router, type Response } from 'express';
import { failureKind } from './failure-kind.js';
import type { Metrics } from './metrics.js';
import { packageVersion } from './package-version.js';
import { withDeadline } from './retry.js';

/** Resolves when the dependency answers, rejects when it is away. */
export type HealthCheck = () => Promise<void>;

export interface HealthOptions {
  /** By the name under which readiness reports it: database, kafka, redis. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** Names of checks that are reported but do not make the process unready. */
  readonly optional?: readonly string[];
  readonly metrics: Metrics;
  readonly isStopping: () => boolean;
  readonly process?: string;
}

interface CheckResult {
  readonly ok: boolean;
  readonly error?: string;
}

/** A dependency that hangs counts as away; a probe must never hang with it. */
const CHECK_TIMEOUT_MS = 2000;

/** Where healthRouter answers reads. */
export const HEALTH_PATHS = ['/livez', '/readyz', '/metrics', '/health'] as const;

/**
 * /livez: the event loop turns. /readyz: what the process needs answers, each reported; 503 while
 * one of them is away or the process stops. /metrics: Prometheus text. /health: a short summary for
 * people, always 200.
 */
export function healthRouter(options: HealthOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const version = packageVersion();
  router.get('/livez', (_request, response) => {
    response.json({ status: 'ok' });
  });
  router.get('/readyz', async (_request, response) => {
    await answerReadiness(options, response);
  });
  router.get('/metrics', async (_request, response) => {
    const text = await options.metrics.registry.metrics();
    response.type(options.metrics.registry.contentType).send(text);
  });
  router.get('/health', (_request, response) => {
    response.json({
      status: options.isStopping() ? 'stopping' : 'ok',
      process: options.process ?? 'surety',
      uptimeSeconds: Math.floor(process.uptime()),
      version,
    });
  });
  return router;
}

async function answerReadiness(options: HealthOptions, response: Response): Promise<void> {
  const optional = options.optional ?? [];
  const results = await Promise.all(
    Object.entries(options.checks).map(
      async ([name, check]) => [name, await runCheck(name, check)] as const,
    ),
  );
  const isReady = results.every(([name, result]) => result.ok || optional.includes(name));
  const status = options.isStopping() ? 'stopping' : isReady ? 'ready' : 'unready';
  response.status(status === 'ready' ? 200 : 503);
  response.json({ status, checks: Object.fromEntries(results) });
}

async function runCheck(name: string, check: HealthCheck): Promise<CheckResult> {
  try {
    await withDeadline(Promise.resolve().then(check), CHECK_TIMEOUT_MS, `the check of ${name}`);
    return { ok: true };
  } catch (error) {
    return { ok: false, error: failureKind(error) };
  }
}
