import type { IncomingMessage } from 'node:http';
import { IDEMPOTENCY_KEY } from '@surety/domain';
import { Problem } from './problem.js';

type WithHeaders = Pick<IncomingMessage, 'headers' | 'headersDistinct'>;

const HEADER = 'idempotency-key';
/** What earlier clients send. */
const LEGACY_HEADER = 'x-idempotency-key';

/**
 * The key of the request: a header, or the field of the body that earlier clients send. The same key
 * may be named several times.
 * @throws Problem idempotency-key-ambiguous, idempotency-key-invalid
 */
export function findIdempotencyKey(
  request: WithHeaders,
  fromBody: string | undefined,
): string | undefined {
  const { [HEADER]: header, [LEGACY_HEADER]: legacy } = request.headers;
  const named = [header, legacy, fromBody].filter((value) => typeof value === 'string');
  const key = named[0];
  if (key === undefined) return undefined;
  const isPlain = named.every((other) => other === key) && IDEMPOTENCY_KEY.test(key);
  return isPlain ? key : keyOfLines(request, fromBody);
}

/**
 * The same from each line of the headers. Node joins lines of one name with a comma and a space: the
 * result is no key, so that only requests that are wrong or say it twice are looked at again.
 */
function keyOfLines({ headersDistinct }: WithHeaders, fromBody: string | undefined): string {
  const lines = [headersDistinct[HEADER] ?? [], headersDistinct[LEGACY_HEADER] ?? []].flat();
  const [key = '', ...others] = new Set(fromBody === undefined ? lines : [...lines, fromBody]);
  if (others.length > 0) throw new Problem('idempotency-key-ambiguous');
  if (!IDEMPOTENCY_KEY.test(key)) throw new Problem('idempotency-key-invalid');
  return key;
}

/** @throws Problem idempotency-key-missing, idempotency-key-ambiguous, idempotency-key-invalid */
export function requireIdempotencyKey(request: WithHeaders, fromBody: string | undefined): string {
  const key = findIdempotencyKey(request, fromBody);
  if (key === undefined) throw new Problem('idempotency-key-missing');
  return key;
}
