/** Days are whole numbers since 1970-01-01, so that they are compared and counted without clocks. */
export type Day = number;

export const DAY_MS = 86_400_000;
const ISO_DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** Undefined where the calendar has no such day: 2026-02-30. */
function dayOf(year: number, month: number, day: number): Day | undefined {
  const at = new Date(Date.UTC(year, month - 1, day));
  const isReal = at.getUTCMonth() === month - 1 && at.getUTCDate() === day;
  return isReal && year >= 1000 ? at.getTime() / DAY_MS : undefined;
}

/** The day that `2026-01-31` names. */
export function dayOfDate(text: string): Day | undefined {
  const found = ISO_DATE.exec(text);
  return found ? dayOf(Number(found[1]), Number(found[2]), Number(found[3])) : undefined;
}

export function dateOfDay(day: Day): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The calendar of a time zone: on which day an instant falls there. */
export class Calendar {
  readonly #format: Intl.DateTimeFormat;

  constructor(timeZone: string) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    this.#format = new Intl.DateTimeFormat('en-CA', { timeZone, ...parts });
  }

  dayOfInstant(time: string): Day | undefined {
    const ms = Date.parse(time);
    return Number.isNaN(ms) ? undefined : dayOfDate(this.#format.format(ms));
  }
}

const TOKEN = /YYYY|MM|DD|HH|mm|ss/g;
const DIGITS: Readonly<Record<string, string>> = {
  YYYY: '(?<year>\\d{4})',
  MM: '(?<month>\\d{2})',
  DD: '(?<day>\\d{2})',
  HH: '(?:[01]\\d|2[0-3])',
  mm: '[0-5]\\d',
  ss: '[0-5]\\d',
};

/** How a file writes its dates. Times of the day are checked and dropped: days are compared. */
export class DateFormat {
  /** Undefined for `iso`: an instant with its offset (RFC 3339), or a bare date. */
  readonly #pattern: RegExp | undefined;

  private constructor(pattern: RegExp | undefined) {
    this.#pattern = pattern;
  }

  /** Undefined where the text does not name year, month and day once each. */
  static parse(text: string): DateFormat | undefined {
    if (text === 'iso') return new DateFormat(undefined);
    const tokens: readonly string[] = text.match(TOKEN) ?? [];
    const isWhole = ['YYYY', 'MM', 'DD'].every((token) => tokens.includes(token));
    if (!isWhole || new Set(tokens).size !== tokens.length) return undefined;
    const literals = text.split(TOKEN).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    const pattern = literals
      .map((literal, n) => literal + (DIGITS[tokens[n] ?? ''] ?? ''))
      .join('');
    return new DateFormat(new RegExp(`^${pattern}$`));
  }

  /** The day in the calendar, or undefined where the text is not of this format or no real day. */
  dayOf(text: string, calendar: Calendar): Day | undefined {
    if (!this.#pattern) {
      return ISO_TIME.test(text) ? calendar.dayOfInstant(text) : dayOfDate(text);
    }
    const { year, month, day } = this.#pattern.exec(text)?.groups ?? {};
    return dayOf(Number(year), Number(month), Number(day));
  }
}
