import { createLogger as createWinstonLogger } from 'winston';
import type { Logger } from './log.js';

/** What the specs of this package share; nothing else imports it. */
export function silentLog(): Logger {
  return createWinstonLogger({ silent: true });
}
