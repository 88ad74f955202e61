import { isEnded } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { parseDuration } from '@surety/runtime';
import type { TransferRow } from '@surety/saga';
import type { EndWatch } from './end-watch.js';
import type { Exchange } from './exchange.js';
import { readQuery } from './query.js';
import type { ParameterFault } from './query.js';

/** Proxies in between give up on requests that take much longer. */
export const WAIT_MAX_MS = 30_000;
/** The bell may be lost; the rows are read again this often. */
const POLL_MS = 500;

/** With its unit: what a bare number means, clients need not agree on; in one spelling, as amounts. */
const WAIT = /^(?:0|[1-9][0-9]*)(?:ms|s|m)$/;

/** How long the client is willing to wait, 0 where it did not say. @throws Problem invalid-request */
export function waitMsOf(exchange: Exchange): number {
  return readQuery<{ wait: number }>(exchange, { wait: waitMsIn }).wait ?? 0;
}

function waitMsIn(text: string): number | ParameterFault {
  if (!WAIT.test(text)) return 'malformed_duration';
  const waitMs = parseDuration(text);
  if (waitMs !== undefined && waitMs <= WAIT_MAX_MS) return waitMs;
  return { fault: 'out_of_range', range: { max: `${WAIT_MAX_MS / 1000}s` } };
}

export interface WaitOptions {
  readonly id: TransferId;
  readonly waitMs: number;
  readonly watch: EndWatch;
  readonly read: () => Promise<TransferRow | undefined>;
}

/** The transfer once it has ended, the time is over, the client has gone or the process stops. */
export async function waitForEnd(
  exchange: Exchange,
  options: WaitOptions,
): Promise<TransferRow | undefined> {
  const { id, waitMs, read } = options;
  const watch = waitMs > 0 ? options.watch.open(id) : undefined;
  if (!watch) return read();
  const leave = (): void => {
    watch.close();
  };
  exchange.response.once('close', leave);
  try {
    const endsAtMs = performance.now() + waitMs;
    for (;;) {
      const row = await read();
      const remainingMs = endsAtMs - performance.now();
      const isOver = remainingMs <= 0 || options.watch.stopped || exchange.response.destroyed;
      if (!row || isEnded(row.state) || isOver) return row;
      await watch.next(Math.min(POLL_MS, remainingMs));
    }
  } finally {
    exchange.response.off('close', leave);
    watch.close();
  }
}
