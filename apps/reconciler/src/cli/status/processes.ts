import { laggingMessages, stepsOf } from './metrics-page.js';

/** Where a process answers for its health, and under which name it is known. */
export interface ProcessAddress {
  readonly name: string;
  readonly url: string;
}

export interface ProcessStatus {
  readonly name: string;
  readonly url: string;
  readonly state: 'ready' | 'unready' | 'stopping' | 'away';
  /** What it cannot reach, or why it did not answer. */
  readonly trouble: readonly string[];
  readonly uptimeSeconds: number | null;
  readonly version: string | null;
  /** Messages of its partitions that it has yet to handle; null where it reads none. */
  readonly lagMessages: number | null;
  /** Each step of workers, and whether this process runs it; null where it is none of the workers. */
  readonly steps: Readonly<Record<string, boolean>> | null;
}

/** A readiness probe asks its dependencies for two seconds; beyond that a process counts as away. */
const ANSWER_TIMEOUT_MS = 4_000;

/** Asks every process at once. One that hangs or is gone is a line of the answer, not a failure. */
export function askProcesses(
  addresses: readonly ProcessAddress[],
): Promise<readonly ProcessStatus[]> {
  return Promise.all(addresses.map(askProcess));
}

async function askProcess({ name, url }: ProcessAddress): Promise<ProcessStatus> {
  try {
    const [ready, health, metrics] = await Promise.all([
      get(url, '/readyz'),
      get(url, '/health'),
      get(url, '/metrics'),
    ]);
    const readiness = JSON.parse(ready) as Readiness;
    const { uptimeSeconds = null, version = null } = JSON.parse(health) as Partial<ProcessStatus>;
    return {
      ...{ name, url, uptimeSeconds, version },
      state: readiness.status,
      trouble: troubleOf(readiness),
      lagMessages: laggingMessages(metrics),
      steps: stepsOf(metrics),
    };
  } catch (error) {
    const why = error instanceof Error ? reasonOf(error) : String(error);
    return {
      ...{ name, url, state: 'away', trouble: [why] },
      ...{ uptimeSeconds: null, version: null, lagMessages: null, steps: null },
    };
  }
}

interface Readiness {
  readonly status: 'ready' | 'unready' | 'stopping';
  readonly checks?: Readonly<Record<string, { readonly ok: boolean; readonly error?: string }>>;
}

async function get(url: string, path: string): Promise<string> {
  const address = new URL(path, url);
  const response = await fetch(address, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  // Unready is 503 and has a body all the same.
  return response.text();
}

function troubleOf({ checks = {} }: Readiness): string[] {
  return Object.entries(checks)
    .filter(([, { ok }]) => !ok)
    .map(([name, { error }]) => (error ? `${name} (${error})` : name));
}

function reasonOf(error: Error): string {
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') {
    return cause.code;
  }
  return error.name === 'TimeoutError' ? 'no answer' : error.message;
}
