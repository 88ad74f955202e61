import type { IncomingHttpHeaders } from 'node:http';
import { IDEMPOTENCY_KEY } from '@surety/domain';
import { Problem } from './problem.js';

/**
 * The key of the request: a header, or the field of the body that earlier clients send.
 * @throws Problem idempotency-key-ambiguous, idempotency-key-invalid
 */
export function findIdempotencyKey(
  headers: IncomingHttpHeaders,
  fromBody: string | undefined,
): string | undefined {
  const named = [headers['idempotency-key'], headers['x-idempotency-key'], fromBody].filter(
    (value): value is string => typeof value === 'string',
  );
  const key = named[0];
  if (key === undefined) return undefined;
  if (named.some((other) => other !== key)) throw new Problem('idempotency-key-ambiguous');
  if (!IDEMPOTENCY_KEY.test(key)) throw new Problem('idempotency-key-invalid');
  return key;
}

/** @throws Problem idempotency-key-missing, idempotency-key-ambiguous, idempotency-key-invalid */
export function requireIdempotencyKey(
  headers: IncomingHttpHeaders,
  fromBody: string | undefined,
): string {
  const key = findIdempotencyKey(headers, fromBody);
  if (key === undefined) throw new Problem('idempotency-key-missing');
  return key;
}
