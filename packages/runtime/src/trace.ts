import { randomHex } from './random.js';

/** version "-" trace-id "-" parent-id "-" trace-flags (W3C Trace Context, section 3.2). */
const TRACEPARENT =
  /^(?<version>[0-9a-f]{2})-(?<traceId>[0-9a-f]{32})-(?<parentId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<rest>-.*)?$/;
/** The standard's mark of an id that is not one. */
const ALL_ZERO = /^0+$/;
const VERSION = '00';
const FORBIDDEN_VERSION = 'ff';
const FLAGS_SAMPLED = '01';

/**
 * The caller's trace context in the form we pass on (version 00), or undefined where the header is
 * absent or invalid: then the trace starts anew here, as the standard asks.
 */
export function parseTraceparent(header: string | undefined): string | undefined {
  const { version, traceId, parentId, flags, rest } =
    TRACEPARENT.exec(header?.trim() ?? '')?.groups ?? {};
  if (!isVersionValid(version, rest) || !isId(traceId) || !isId(parentId)) {
    return undefined;
  }
  return `${VERSION}-${traceId}-${parentId}-${flags}`;
}

function isId(id: string | undefined): id is string {
  return id !== undefined && !ALL_ZERO.test(id);
}

/** Later versions may append fields; version 00 has none. */
function isVersionValid(version: string | undefined, rest: string | undefined): boolean {
  return version === VERSION ? rest === undefined : version !== FORBIDDEN_VERSION;
}

/** A new trace. Ids are random; the chance of an all-zero id is that of guessing one. */
export function newTraceparent(): string {
  const ids = randomHex(24);
  return `${VERSION}-${ids.slice(0, 32)}-${ids.slice(32)}-${FLAGS_SAMPLED}`;
}

/** The same trace with a new parent id: what a step passes on to the next. */
export function childTraceparent(traceparent: string): string {
  const parsed = parseTraceparent(traceparent);
  if (parsed === undefined) {
    return newTraceparent();
  }
  const [version, traceId, , flags] = parsed.split('-');
  return `${version}-${traceId}-${randomHex(8)}-${flags}`;
}

/** The trace id for log lines, or undefined where there is no valid context. */
export function traceIdOf(traceparent: string | null | undefined): string | undefined {
  return parseTraceparent(traceparent ?? undefined)?.split('-')[1];
}
