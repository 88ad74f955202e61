export type StoreErrorKind = 'environment' | 'epoch' | 'fenced' | 'data';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  /** True where COMMIT was sent and no answer came: only the rows can tell. */
  readonly outcomeUnknown: boolean;
  /** True where others kept the rows, of an environment that is well otherwise: nothing was written. */
  readonly contended: boolean;

  constructor(
    kind: StoreErrorKind,
    message: string,
    options: { cause?: unknown; outcomeUnknown?: boolean; contended?: boolean } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.outcomeUnknown = options.outcomeUnknown ?? false;
    this.contended = options.contended ?? false;
  }
}
