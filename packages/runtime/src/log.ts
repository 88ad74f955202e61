import { createLogger as createWinstonLogger, format, transports, type Logger } from 'winston';

export type { Logger } from 'winston';

export interface LoggerOptions {
  /** ingress, relay, workers, … */
  readonly process: string;
  readonly instance: string;
  readonly level: string;
}

const MESSAGE = Symbol.for('message');
/** The user part stays, because it helps; the password goes. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*):[^\s@"]*@/gi;
const CAUSE_DEPTH_MAX = 5;

/** Replaces the password of every URL in a text. */
export function redactUrls(text: string): string {
  return text.replace(URL_PASSWORD, '$1:***@');
}

/** An error as fields: JSON alone would print `{}`. Causes are followed to a bounded depth. */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) {
    return error;
  }
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(depth === 0 ? { stack } : {}),
    ...(cause === undefined || depth >= CAUSE_DEPTH_MAX
      ? {}
      : { cause: describeError(cause, depth + 1) }),
  };
}

const errorsAsFields = format((info) => {
  for (const [key, value] of Object.entries(info)) {
    if (value instanceof Error) {
      info[key] = describeError(value);
    }
  }
  return info;
});

// Works on the finished line, so that a password cannot slip through in a nested field or a stack.
const withoutPasswords = format((info) => {
  const line = info[MESSAGE];
  if (typeof line === 'string') {
    info[MESSAGE] = redactUrls(line);
  }
  return info;
});

/** The stages that turn a log call into one JSON line. */
export const lineFormat = format.combine(
  format.timestamp(),
  errorsAsFields(),
  format.json({ bigint: true }),
  withoutPasswords(),
);

/**
 * JSON lines on standard output. Fields with a fixed meaning: `transferId`, `traceId`, `shard`,
 * `error`. Passwords of URLs are taken out of every line.
 */
export function createLogger(options: LoggerOptions): Logger {
  return createWinstonLogger({
    level: options.level,
    defaultMeta: { process: options.process, instance: options.instance },
    format: lineFormat,
    transports: [new transports.Console()],
  });
}
