import { randomBytes } from 'node:crypto';
import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Longer than any sensible time-out, and below what a timer can hold (2^31 - 1 ms). */
const DURATION_MAX_MS = 20 * 24 * 3_600_000;
/** What messages say of it: who writes 720h learns nothing from examples of durations. */
export const DURATION_MAX_TEXT = `${DURATION_MAX_MS / 3_600_000}h at most`;

/**
 * `250ms`, `30s`, `5m`, `1h`; a bare number is seconds. The result is milliseconds.
 * @param maximumMs longer ones are refused; beyond the default no timer can be set to the result
 */
export function parseDuration(text: string, maximumMs = DURATION_MAX_MS): number | undefined {
  const match = /^(\d{1,12})(ms|s|m|h)?$/.exec(text.trim());
  const unitMs = UNIT_MS[match?.[2] ?? 's'];
  if (!match || unitMs === undefined) {
    return undefined;
  }
  const durationMs = Number(match[1]) * unitMs;
  return durationMs <= maximumMs ? durationMs : undefined;
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** A comma separated list in which every entry passes `isValid`; messages give positions, not values. */
function checkedList(expectation: string, isValid: (entry: string) => boolean) {
  return z.string().transform((text, context) => {
    const entries = splitList(text);
    if (entries.length === 0) {
      context.addIssue({ code: 'custom', message: `needs at least one ${expectation}` });
    }
    entries.forEach((entry, index) => {
      if (!isValid(entry)) {
        context.addIssue({ code: 'custom', message: `entry ${index + 1} is not ${expectation}` });
      } else if (entries.indexOf(entry) !== index) {
        context.addIssue({ code: 'custom', message: `entry ${index + 1} repeats an earlier one` });
      }
    });
    return entries;
  });
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isRedisUrl(text: string): boolean {
  const url = urlOf(text);
  return (url?.protocol === 'redis:' || url?.protocol === 'rediss:') && url.hostname !== '';
}

function isBroker(text: string): boolean {
  const url = /^[^/?#@\s]+:\d{1,5}$/.test(text) ? urlOf(`tcp://${text}`) : undefined;
  return url !== undefined && url.hostname !== '' && url.port !== '' && url.port !== '0';
}

function wholeNumber(minimum: number, maximum: number) {
  return z.string().transform((text, context) => {
    const value = /^\d{1,12}$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum)) {
      const message = `is not a whole number from ${minimum} to ${maximum}`;
      context.addIssue({ code: 'custom', message });
    }
    return value;
  });
}

function parseCurrency(text: string): { code: string; exponent: number } | undefined {
  const match = /^([A-Z][A-Z0-9]{2,7}):([0-8])$/.exec(text);
  return match?.[1] === undefined ? undefined : { code: match[1], exponent: Number(match[2]) };
}

const POSITIVE_MAX = 1_000_000;
const PORT_MAX = 65_535;
const PARTITIONS_MAX = 1024;
/** Enough for four shards or worker processes; every one of them is named in every fetch. */
export const PARTITIONS_DEFAULT = 8;

/** How a text of the environment has to be written, known to whoever makes use of it. */
export interface TextForm {
  /** As messages call it. */
  readonly form: string;
  readonly isMet: (text: string) => boolean;
}

/** Schemas that turn text of the environment into what the processes work with. */
export const settings = {
  /** URLs in shard order: the position is the shard's id. */
  shards: ({ form, isMet }: TextForm) => checkedList(form, isMet),
  kafkaBrokers: () => checkedList('host:port', isBroker),
  redisUrl: () => z.string().refine(isRedisUrl, 'is not redis://host:port or rediss://host:port'),
  instance: () =>
    z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/, 'has characters beyond A-Za-z0-9._:-'),
  logLevel: () => z.enum(['error', 'warn', 'info', 'debug']).default('info'),
  host: () =>
    z
      .string()
      .regex(/^[A-Za-z0-9.:-]{1,255}$/, 'is not a host')
      .default('127.0.0.1'),
  /** A port to listen on; 0 takes any free one. */
  port: (fallback: number) => wholeNumber(0, PORT_MAX).prefault(String(fallback)),
  /** Milliseconds, from `250ms`, `30s`, `5m`, `1h` or bare seconds. Zero is refused. */
  duration: (fallback: string) =>
    z
      .string()
      .transform((text, context) => {
        const durationMs = parseDuration(text) ?? 0;
        if (durationMs === 0) {
          const message = `is not a duration such as 250ms, 30s, 5m or 1h, ${DURATION_MAX_TEXT}`;
          context.addIssue({ code: 'custom', message });
        }
        return durationMs;
      })
      .prefault(fallback),
  /** Like `duration`; 0 is a value, too: the caller says what it switches off. */
  durationOrZero: (fallback: string) =>
    z
      .string()
      .transform((text, context) => {
        const durationMs = text === '0' ? 0 : parseDuration(text);
        if (durationMs !== undefined) return durationMs;
        context.addIssue({
          code: 'custom',
          message: `is not 0 or a duration such as 30s, 5m or 24h, ${DURATION_MAX_TEXT}`,
        });
        return 0;
      })
      .prefault(fallback),
  wholeNumber: (fallback: number) => wholeNumber(0, POSITIVE_MAX).prefault(String(fallback)),
  positiveInteger: (fallback: number) => wholeNumber(1, POSITIVE_MAX).prefault(String(fallback)),
  /** Partitions of each topic. */
  partitions: () => wholeNumber(1, PARTITIONS_MAX).prefault(String(PARTITIONS_DEFAULT)),
  list: (fallback: string) => z.string().transform(splitList).prefault(fallback),
  /** A list of which every entry is one of `allowed`. */
  listOf: <T extends string>(allowed: readonly T[], fallback: string) =>
    checkedList(`one of ${allowed.join(', ')}`, (entry) => allowed.some((one) => one === entry))
      .transform((entries) => allowed.filter((one) => entries.includes(one)))
      .prefault(fallback),
  onOrOff: (fallback: 'on' | 'off') => z.enum(['on', 'off']).default(fallback),
  /** `POINTS:0,GOLD:6`: currencies beside ISO 4217, with their exponents. */
  currencies: () =>
    z
      .string()
      .transform((text, context) =>
        splitList(text).flatMap((entry, index) => {
          const currency = parseCurrency(entry);
          if (!currency) {
            const form = 'CODE:decimals (3 to 8 capitals and digits, 0 to 8 decimals)';
            context.addIssue({ code: 'custom', message: `entry ${index + 1} is not ${form}` });
          }
          return currency ? [currency] : [];
        }),
      )
      .prefault(''),
  currency: (fallback: string) =>
    z
      .string()
      .regex(/^[A-Z][A-Z0-9]{2,7}$/, 'is not a currency code')
      .default(fallback),
};

/** A name for this process instance that no other one has: used where SURETY_INSTANCE is not set. */
export function defaultInstance(processName: string): string {
  return `${processName}-${process.pid}-${randomBytes(3).toString('hex')}`;
}
