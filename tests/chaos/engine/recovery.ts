import { randomUUID } from 'node:crypto';
import { partitionOfSlot, slotOfAccount } from '@surety/domain';
import { PARTITIONS_DEFAULT } from '@surety/runtime';
import { eventually } from '@surety/testing/system';
import type { ProcessName } from '@surety/testing/system';

/** One account in each partition's range of slots. */
export const PROBE_ACCOUNTS: readonly string[] = Array.from(
  { length: PARTITIONS_DEFAULT },
  (_, partition) => {
    const ids = Array.from({ length: 2_000 }, (_unused, n) => `PROBE-${n}`);
    return ids.find(
      (id) => partitionOfSlot(slotOfAccount(id), PARTITIONS_DEFAULT) === partition,
    ) as string;
  },
);

/** A client whose every request and answer goes into the journal. */
export interface ProbeClient {
  /** The id, where the transfer was acknowledged. */
  submit(wish: ProbeWish, key: string): Promise<string | undefined>;
  /** The end, where there is one. */
  endOf(transferId: string): Promise<string | undefined>;
}

export interface ProbeWish {
  readonly sourceAccount: string;
  readonly destinationAccount: string;
  readonly amount: string;
  readonly currency: string;
}

export interface Recovery {
  readonly process: ProcessName;
  /** From the kill until transfers of every partition that began after it had ended. */
  readonly tookMs: number;
  /** No other fault was under way all the while. */
  readonly wasAlone: boolean;
  /** The same transfers just before the kill, where it was to be alone: what they take anyway. */
  readonly beforeMs?: number;
}

/** Among other faults a recovery can take as long as they do. */
const GIVEN_UP_AFTER_MS = 60_000;

/**
 * New transfers from an account of every partition, each to the next one's, run to their ends:
 * nothing is left that the dead process keeps from going on.
 * @returns milliseconds since `sinceMs`
 * @throws Error when it takes more than a minute
 */
export async function flowsAgain(client: ProbeClient, sinceMs: number): Promise<number> {
  const run = randomUUID().slice(0, 8);
  await Promise.all(
    PROBE_ACCOUNTS.map((sourceAccount, n) => {
      const destinationAccount = PROBE_ACCOUNTS[(n + 1) % PROBE_ACCOUNTS.length] as string;
      const wish = { sourceAccount, destinationAccount, amount: '0.01', currency: 'EUR' };
      let transferId: string | undefined;
      return eventually(
        `a transfer from ${sourceAccount} that runs to its end`,
        async () => {
          transferId ??= await client.submit(wish, `probe-${run}-${n}`);
          if (transferId === undefined) return undefined;
          return client.endOf(transferId);
        },
        { withinMs: GIVEN_UP_AFTER_MS - (Date.now() - sinceMs) },
      );
    }),
  );
  return Date.now() - sinceMs;
}

export interface RecoveryFigures {
  readonly process: ProcessName;
  readonly count: number;
  readonly beforeMs: number | undefined;
  readonly medianMs: number;
  readonly maxMs: number;
}

export function figuresOf(recoveries: readonly Recovery[]): RecoveryFigures[] {
  const byProcess = new Map<ProcessName, Recovery[]>();
  for (const recovery of recoveries) {
    const { process } = recovery;
    byProcess.set(process, [...(byProcess.get(process) ?? []), recovery]);
  }
  return [...byProcess].sort().map(([process, own]) => ({
    process,
    count: own.length,
    beforeMs: medianOf(own.flatMap(({ beforeMs }) => (beforeMs === undefined ? [] : [beforeMs]))),
    medianMs: medianOf(own.map(({ tookMs }) => tookMs)) as number,
    maxMs: Math.max(...own.map(({ tookMs }) => tookMs)),
  }));
}

function medianOf(times: readonly number[]): number | undefined {
  const sorted = [...times].sort((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
