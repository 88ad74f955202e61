/** Bounds the way down: an error may be its own cause. */
const DEPTH_MAX = 10;

/**
 * An error and what is behind it, from the outside in: of several at once the first. Empty for what is
 * no error.
 */
export function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let one = error; one instanceof Error && causes.length < DEPTH_MAX; one = behind(one)) {
    causes.push(one);
  }
  return causes;
}

function behind(error: Error): unknown {
  return error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause;
}

/**
 * What went wrong in one word that tells nothing of the inside: messages of drivers name hosts, users
 * and statements. What is behind a failure tells more than who noticed it: the first code on the way
 * down, else the name of the innermost cause.
 */
export function failureKind(error: unknown): string {
  const causes = causesOf(error);
  return causes.map(codeOf).find((code) => code !== undefined) ?? causes.at(-1)?.name ?? 'unknown';
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
