import { ACCOUNT_ID } from '@surety/domain';
import type { CurrencyCode, CurrencyTable } from '@surety/domain';
import { z } from 'zod';
import { CliError } from '../output.js';
import { DateFormat, dayOfDate } from './calendar.js';

/** A day is compared with days around it; a wider search would pair anything with anything. */
const DATE_TOLERANCE_DAYS_MAX = 31;
const SKIP_LINES_MAX = 100;

/** Of a value that may have one of several forms: by itself Zod says that the input is invalid. */
function noneOf(forms: string): { error: (issue: { readonly input?: unknown }) => string } {
  return { error: ({ input }) => (input === undefined ? NEEDED : `is not ${forms}`) };
}

const NEEDED = 'is needed';
const columnName = z.string().min(1).max(200);
const values = z.array(z.string().min(1)).min(1);

const date = z.string().refine((text) => dayOfDate(text) !== undefined, {
  error: 'is not a day such as 2026-01-31',
});

const timeZone = z.string().refine(isTimeZone, { error: 'is no time zone such as Europe/Berlin' });

const columns = z.strictObject({
  /** What `match.by` compares: a transfer id, a description, a member of metadata. */
  key: columnName.optional(),
  amount: columnName,
  date: columnName.optional(),
  currency: columnName.optional(),
});

const sign = z.union(
  [
    z.enum(['positive_in', 'positive_out']),
    z.strictObject({ column: columnName, in: values, out: values }),
  ],
  noneOf('positive_in, positive_out or a column with the values in and out'),
);

const file = z.strictObject({
  delimiter: z.string().length(1).default(','),
  encoding: z.enum(['utf8', 'latin1']).default('utf8'),
  skipLines: z.int().min(0).max(SKIP_LINES_MAX).default(0),
  columns,
  currency: z.string().optional(),
  decimal: z.enum(['.', ',']).default('.'),
  grouping: z.enum(['', '.', ',', ' ', "'"]).default(''),
  sign: sign.default('positive_in'),
  dateFormat: z
    .string()
    .refine((text) => DateFormat.parse(text) !== undefined, {
      error: 'is not iso, nor made of YYYY, MM, DD, HH, mm, ss and what stands between them',
    })
    .default('YYYY-MM-DD'),
  timeZone: timeZone.default('UTC'),
});

const transfers = z.strictObject({
  account: z.string().regex(ACCOUNT_ID, { error: 'is no account id' }),
  direction: z.enum(['in', 'out', 'both']).default('both'),
  /** First day, and the day after the last, in the file's time zone. */
  from: date,
  to: date,
  tenant: z.string().min(1).optional(),
});

const match = z.strictObject({
  by: z.union(
    [
      z.enum(['transferId', 'description', 'amountAndDate']),
      z.templateLiteral(['metadata.', z.string().min(1)]),
    ],
    noneOf('transferId, description, metadata.<member> or amountAndDate'),
  ),
  dateToleranceDays: z.int().min(0).max(DATE_TOLERANCE_DAYS_MAX).default(0),
  /** Minor units by currency. */
  tolerance: z.record(z.string(), z.int().min(0)).default({}),
});

const shape = z.strictObject({ file, transfers, match });

type Shape = z.infer<typeof shape>;

/** What no single member can know: where the mistake lies, what it is, and when there is none. */
const TOGETHER: readonly (readonly [
  path: string,
  mistake: string,
  fits: (rules: Shape) => boolean,
])[] = [
  [
    'file.currency',
    'either this, or columns.currency: one of the two',
    ({ file: bank }) => (bank.columns.currency === undefined) !== (bank.currency === undefined),
  ],
  ['file.grouping', 'is the same as file.decimal', ({ file: f }) => f.decimal !== f.grouping],
  [
    'file.columns.key',
    'is needed, unless match.by is amountAndDate',
    (rules) => byAmount(rules) || rules.file.columns.key !== undefined,
  ],
  [
    'file.columns.date',
    'is needed where match.by is amountAndDate',
    (rules) => !byAmount(rules) || rules.file.columns.date !== undefined,
  ],
  [
    'match.tolerance',
    'has no meaning where match.by is amountAndDate',
    (rules) => !byAmount(rules) || Object.keys(rules.match.tolerance).length === 0,
  ],
  [
    'transfers.to',
    'is not after transfers.from',
    // Days of this form are in the order of their texts.
    ({ transfers: { from, to } }) => from < to,
  ],
];

function byAmount(rules: Shape): boolean {
  return rules.match.by === 'amountAndDate';
}

const rulesSchema = shape.superRefine((rules, context) => {
  for (const [path, message, fits] of TOGETHER) {
    if (!fits(rules)) context.addIssue({ code: 'custom', path: path.split('.'), message });
  }
});

export type Rules = z.infer<typeof rulesSchema>;

/** @throws CliError that lists every mistake */
export function parseRules(text: string, currencies: CurrencyTable): Rules {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`the rules are not JSON: ${why}`);
  }
  const parsed = rulesSchema.safeParse(json, {
    error: ({ code, input }) =>
      code === 'invalid_type' && input === undefined ? NEEDED : undefined,
  });
  const mistakes = parsed.success
    ? unknownCurrencies(parsed.data, currencies)
    : parsed.error.issues.map((issue) => `${issue.path.join('.') || 'rules'}: ${issue.message}`);
  if (parsed.success && mistakes.length === 0) return parsed.data;
  throw new CliError(['the rules are not usable:', ...mistakes].join('\n  '));
}

function unknownCurrencies({ file: bank, match: how }: Rules, currencies: CurrencyTable): string[] {
  const named: [string, CurrencyCode][] = Object.keys(how.tolerance).map((code) => [
    'match.tolerance',
    code,
  ]);
  if (bank.currency !== undefined) named.push(['file.currency', bank.currency]);
  return named
    .filter(([, code]) => !currencies.has(code))
    .map(([path, code]) => `${path}: ${JSON.stringify(code)} is not a known currency`);
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
