export interface Patience {
  /** How long the condition may take: catches a hang, measures nothing. */
  readonly withinMs: number;
  readonly everyMs?: number;
}

/** Waits for a condition instead of a time: resolves with the first value that is not undefined. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  { withinMs, everyMs = 100 }: Patience,
): Promise<T> {
  const until = Date.now() + withinMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > until) {
      throw new Error(`${what} did not happen within ${withinMs} ms`, { cause: lastError });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
