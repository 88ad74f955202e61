import { createRequire } from 'node:module';

/** What is used of the queue of requests that each connection of the library has. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly inflight: ReadonlyMap<number, InflightRequest>;
  /** Milliseconds of Date.now() until which the broker asked for silence. */
  readonly throttledUntil: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  requestTimeoutIntervalId: NodeJS.Timeout | null;
  isConnected(): boolean;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
  destroy(): void;
}

interface InflightRequest {
  readonly sentAt: number;
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

/** The library's own pause where requests wait for one that is under way. */
const PENDING_CHECK_MS = 10;
/** A request without an answer fails at most so much later than it should, and this at the most. */
const LATENESS = 0.1;
const TIMEOUT_CHECK_MAX_MS = 1_000;

/**
 * Two timers of the library (2.2.4) run for every connection whether or not anything happens. The
 * check of what waits to be sent plans itself again after every run with a pause that lies in the
 * past, which the runtime takes for one millisecond: 300 wake-ups a second for each connection that
 * nobody uses. The check for requests without an answer runs ten times a second. Here the first runs
 * only while something waits, the second as often as its timeout is worth.
 */
export function calmTimers(queue: RequestQueue): void {
  queue.scheduleCheckPendingRequests = checkWhatWaits;
  queue.scheduleRequestTimeoutCheck = checkTimeouts;
}

function checkWhatWaits(this: RequestQueue): void {
  // Whatever starts to wait is followed by a call of this: there is no need to look ahead.
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
  const silenceMs = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    silenceMs > 0 ? silenceMs : PENDING_CHECK_MS,
  );
}

function checkTimeouts(this: RequestQueue): void {
  if (!this.enforceRequestTimeout) return;
  this.destroy();
  const everyMs = Math.min(this.requestTimeout * LATENESS, TIMEOUT_CHECK_MAX_MS);
  this.requestTimeoutIntervalId = setInterval(() => {
    const now = Date.now();
    for (const request of this.inflight.values()) {
      if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
    }
    if (!this.isConnected()) this.destroy();
  }, everyMs);
}

/** The class behind every connection's queue. The library's version is pinned, a spec watches over this. */
export function libraryRequestQueue(): { readonly prototype: RequestQueue } {
  const require = createRequire(import.meta.url);
  return require('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue };
}
