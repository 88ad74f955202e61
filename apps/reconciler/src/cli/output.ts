import { redactUrls } from '@surety/runtime';

/** Exit codes of every command. */
export const EXIT = {
  /** Done, and nothing is wrong. */
  ok: 0,
  /** Something is broken, or what was asked for does not exist. */
  found: 1,
  /** The command could not run, or was called wrongly. */
  failed: 2,
} as const;

/** Where a command writes, so that tests can read it. */
export interface Output {
  print(text: string): void;
  printError(text: string): void;
}

/** A failure that the operator can understand as it is: printed without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

const CAUSES_MAX = 5;

/** An error and its causes in one line: drivers hide what matters in a cause. */
export function errorLine(error: unknown): string {
  const parts: string[] = [];
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < CAUSES_MAX; depth += 1) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
    const part = at.message || code || at.name;
    if (!parts.some((known) => known.includes(part))) parts.push(part);
    at = at instanceof AggregateError ? (at.errors[0] as unknown) : at.cause;
  }
  return redactUrls(parts.length > 0 ? parts.join(': ') : String(error));
}

/** Machines get one JSON document; sums stay exact because bigint becomes a string. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, field: unknown) => (typeof field === 'bigint' ? field.toString() : field),
    2,
  );
}
