/**
 * How a proxy treats its connections. A mode is entered by asking for it and left by asking for
 * another one; a proxy starts in `pass`.
 *
 * - `pass`: bytes go through as they come.
 * - `cut`: every connection is reset at once, then the proxy is in `pass` again.
 * - `refuse`: new connections are reset; those there are go on.
 * - `slow`: every piece waits for the latency, and for its length at the given rate.
 * - `halfOpen`: bytes of the given direction are swallowed and the sockets stay, whatever the two
 *   ends do. A connection that lost bytes stays deaf after this mode too, because a stream with a
 *   hole cannot go on; only its end is passed on again. One that lost nothing goes on unharmed.
 */
export type ProxyMode =
  | { readonly kind: 'pass' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'refuse' }
  | {
      readonly kind: 'slow';
      readonly latencyMs: number;
      /** Up to so much is added to the latency, drawn anew for every piece. */
      readonly jitterMs?: number;
      readonly bytesPerSecond?: number;
    }
  | { readonly kind: 'halfOpen'; readonly direction: 'both' | Direction };

export type Direction = 'toServer' | 'toClient';

/** What a proxy has done since it was opened. */
export interface ProxyCounters {
  accepted: number;
  refused: number;
  /** Connections reset by the mode `cut`. */
  cut: number;
  bytesToServer: number;
  bytesToClient: number;
  bytesSwallowed: number;
  /** Statements answered with an error in the server's place. */
  statementsFailed: number;
}

export function zeroCounters(): ProxyCounters {
  return {
    accepted: 0,
    refused: 0,
    cut: 0,
    bytesToServer: 0,
    bytesToClient: 0,
    bytesSwallowed: 0,
    statementsFailed: 0,
  };
}

export function swallows(mode: ProxyMode, direction: Direction): boolean {
  return mode.kind === 'halfOpen' && (mode.direction === 'both' || mode.direction === direction);
}

/** How long a piece of this length is on its way. */
export function delayMsOf(mode: ProxyMode, bytes: number, random: () => number): number {
  if (mode.kind !== 'slow') return 0;
  const { latencyMs, jitterMs = 0, bytesPerSecond } = mode;
  const transferMs = bytesPerSecond === undefined ? 0 : (bytes / bytesPerSecond) * 1_000;
  return latencyMs + jitterMs * random() + transferMs;
}
