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
      throw new Error(`waited ${withinMs} ms in vain: ${what}`, { cause: lastError });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** `eventually` for a condition on servers nearby, which is asked often. */
export async function until(
  condition: () => Promise<boolean> | boolean,
  what = 'until a condition came true',
): Promise<void> {
  const probe = async (): Promise<true | undefined> => ((await condition()) ? true : undefined);
  await eventually(what, probe, { withinMs: 60_000, everyMs: 20 });
}
