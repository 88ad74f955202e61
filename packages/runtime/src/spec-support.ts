import { createLogger as createWinstonLogger } from 'winston';
import type { Logger } from './log.js';
import { sleep } from './retry.js';

/** What the specs of this package share; nothing else imports it. */
export function silentLog(): Logger {
  return createWinstonLogger({ silent: true });
}

const POLL_MS = 20;

/** Waits for a condition. The bound catches a hang, it does not measure speed. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 60_000,
): Promise<void> {
  const endsAt = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endsAt) {
      throw new Error(`waited in vain until ${what}`);
    }
    await sleep(POLL_MS);
  }
}

/** A variable that the test run sets, such as the address of a server. */
export function requiredVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: integration specs need the servers of npm test`);
  }
  return value;
}
