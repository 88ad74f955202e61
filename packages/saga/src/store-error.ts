export type StoreErrorKind = 'environment' | 'epoch' | 'fenced' | 'data';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  /** True where COMMIT was sent and no answer came: only the rows can tell. */
  readonly outcomeUnknown: boolean;
  /**
   * Of a transaction: true where the server is there and has refused it: others kept taking the
   * rows, or a privilege is missing. Nothing was written, and other work may pass.
   */
  readonly refused: boolean;

  constructor(
    kind: StoreErrorKind,
    message: string,
    options: { cause?: unknown; outcomeUnknown?: boolean; refused?: boolean } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.outcomeUnknown = options.outcomeUnknown ?? false;
    this.refused = options.refused ?? false;
  }
}
