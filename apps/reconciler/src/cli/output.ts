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

/** Machines get one JSON document; sums stay exact because bigint becomes a string. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, field: unknown) => (typeof field === 'bigint' ? field.toString() : field),
    2,
  );
}
