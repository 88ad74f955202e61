/** Codes of the protocol that a producer meets, by name. What is not here is told by its number. */
const NAMES: Readonly<Record<number, string>> = {
  2: 'corrupt message',
  3: 'unknown topic or partition',
  5: 'no leader yet',
  6: 'not the leader any more',
  7: 'the replicas took too long',
  10: 'message too large',
  13: 'network exception between brokers',
  14: 'coordinator is loading',
  15: 'no coordinator',
  16: 'not the coordinator',
  17: 'invalid topic',
  18: 'record batch too large',
  19: 'not enough replicas',
  20: 'not enough replicas after the append',
  29: 'no right to write to the topic',
  31: 'no right to the cluster',
  35: 'version of the request not supported',
  45: 'sequence number out of order',
  46: 'sequence number seen before',
  47: 'epoch of the producer is over',
  51: 'concurrent transactions',
  56: 'storage error',
  59: 'producer id not known any more',
  72: 'leader has no such listener',
  74: 'epoch of the leader is over',
  75: 'epoch of the leader not known yet',
  80: 'preferred leader not available',
};

/** What passes by itself, or with a look at who leads now. */
const RETRIABLE = new Set([2, 3, 5, 6, 7, 13, 14, 15, 16, 19, 20, 51, 56, 72, 74, 75, 80]);

/** The batch was written by an earlier attempt whose answer got lost. */
export const SEQUENCE_SEEN_BEFORE = 46;

/** A producer's own failure. `isRetriable`: the same producer may send the same batches again. */
export class ProducerError extends Error {
  override readonly name = 'ProducerError';
  readonly isRetriable: boolean;

  constructor(
    message: string,
    options: { readonly isRetriable: boolean; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.isRetriable = options.isRetriable;
  }
}

/** @param what the request and its target, for the message */
export function refusal(what: string, errorCode: number): ProducerError {
  const name = NAMES[errorCode] ?? 'refused';
  return new ProducerError(`${what}: ${name} (Kafka error ${errorCode})`, {
    isRetriable: RETRIABLE.has(errorCode),
  });
}

export function isRetriable(error: unknown): boolean {
  return error instanceof ProducerError && error.isRetriable;
}
