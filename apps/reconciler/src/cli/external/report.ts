import { formatMinor } from '@surety/domain';
import type { CurrencyTable } from '@surety/domain';
import { amountText } from '../amount-text.js';
import { toJson } from '../output.js';
import { table } from '../table.js';
import { dateOfDay } from './calendar.js';
import type { Day } from './calendar.js';
import type { Difference, DifferenceKind, FileRow, LedgerRow } from './rows.js';

export const FORMATS = ['table', 'json', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

export interface MatchReport {
  readonly file: string;
  readonly account: string;
  readonly from: string;
  readonly to: string;
  readonly linesInFile: number;
  /** Lines of the other direction, or too far outside the days that are compared. */
  readonly linesLeftOut: number;
  readonly movementsHere: number;
  readonly matched: number;
  readonly byKind: Readonly<Record<DifferenceKind, number>>;
  readonly differences: readonly Difference[];
  /** Whether there are more differences than are listed. */
  readonly isCut: boolean;
}

const WORDS: Readonly<Record<DifferenceKind, string>> = {
  missing_here: 'in the file, not here',
  missing_there: 'here, not in the file',
  amount_differs: 'the amounts differ',
  currency_differs: 'the currencies differ',
  duplicate_in_file: 'more than once in the file',
};

export function isClean({ byKind }: MatchReport): boolean {
  return Object.values(byKind).every((count) => count === 0);
}

export function printReport(
  report: MatchReport,
  format: Format,
  currencies: CurrencyTable,
): string {
  switch (format) {
    case 'table':
      return asTable(report, currencies);
    case 'json':
      return asJson(report, currencies);
    case 'csv':
      return asCsv(report, currencies);
    default:
      return format satisfies never;
  }
}

function asTable(report: MatchReport, currencies: CurrencyTable): string {
  const sum = (row: FileRow | LedgerRow | undefined): string | null =>
    row ? amountText(row.minor, row.currency, currencies) : null;
  const rows = report.differences.map(({ kind, file, ledger }) => [
    WORDS[kind],
    file ? String(file.line) : null,
    shownKey(file ?? ledger),
    ledger?.transferId ?? null,
    sum(file),
    sum(ledger),
    dayText(file?.day),
    dayText(ledger?.day),
  ]);
  const headings = ['what', 'line', 'key', 'transfer', 'in the file', 'here', 'its day', 'our day'];
  const list = rows.length === 0 ? [] : [table(headings, rows), ''];
  return [...list, ...summary(report)].join('\n');
}

function summary(report: MatchReport): string[] {
  const found = Object.entries(report.byKind).filter(([, count]) => count > 0);
  return [
    `${report.account} from ${report.from} to before ${report.to}, ${report.file}`,
    `${report.linesInFile} lines, ${report.linesLeftOut} of them left out; ` +
      `${report.movementsHere} movements here; ${report.matched} matched`,
    ...(report.isCut ? [`only the first ${report.differences.length} differences are listed`] : []),
    found.length === 0
      ? 'no differences'
      : found.map(([kind, count]) => `${count} ${WORDS[kind as DifferenceKind]}`).join('; '),
  ];
}

/** A transfer without a reference has none to show. */
function shownKey(row: FileRow | LedgerRow | undefined): string | null {
  return row === undefined || row.key.startsWith('\u0000') ? null : row.key;
}

interface FlatDifference {
  readonly kind: DifferenceKind;
  readonly key: string | null;
  readonly line: number | null;
  readonly transferId: string | null;
  readonly fileAmount: string | null;
  readonly fileCurrency: string | null;
  readonly fileDay: string | null;
  readonly ourAmount: string | null;
  readonly ourCurrency: string | null;
  readonly ourDay: string | null;
}

function flat({ kind, file, ledger }: Difference, currencies: CurrencyTable): FlatDifference {
  const [there, here] = [sideOf(file, currencies), sideOf(ledger, currencies)];
  return {
    ...{ kind, key: shownKey(file ?? ledger) },
    ...{ line: file?.line ?? null, transferId: ledger?.transferId ?? null },
    ...{ fileAmount: there.amount, fileCurrency: there.currency, fileDay: there.day },
    ...{ ourAmount: here.amount, ourCurrency: here.currency, ourDay: here.day },
  };
}

interface Side {
  readonly amount: string | null;
  readonly currency: string | null;
  readonly day: string | null;
}

const NO_SIDE: Side = { amount: null, currency: null, day: null };

function sideOf(row: FileRow | LedgerRow | undefined, currencies: CurrencyTable): Side {
  if (!row) return NO_SIDE;
  const known = currencies.get(row.currency);
  // Without the exponent of its currency a sum stays out: a point in a wrong place is a wrong sum.
  const amount = known ? formatMinor(row.minor, known.exponent) : null;
  return { amount, currency: row.currency, day: dayText(row.day) };
}

function dayText(day: Day | null | undefined): string | null {
  return day === null || day === undefined ? null : dateOfDay(day);
}

function asJson(report: MatchReport, currencies: CurrencyTable): string {
  const differences = report.differences.map((difference) => flat(difference, currencies));
  return toJson({ ok: isClean(report), ...report, differences });
}

const CSV_COLUMNS = [
  ...(['kind', 'key', 'line', 'transferId', 'fileAmount', 'fileCurrency', 'fileDay'] as const),
  ...(['ourAmount', 'ourCurrency', 'ourDay'] as const),
] satisfies readonly (keyof FlatDifference)[];

/** RFC 4180. */
function asCsv(report: MatchReport, currencies: CurrencyTable): string {
  const lines = report.differences.map((difference) => {
    const cells = flat(difference, currencies);
    return CSV_COLUMNS.map((name) => csvCell(name, cells[name])).join(',');
  });
  return [CSV_COLUMNS.join(','), ...lines].join('\r\n');
}

/**
 * A key comes from outside. What a spreadsheet would take for a formula gets an apostrophe in front,
 * which makes it text again.
 */
function csvCell(name: keyof FlatDifference, value: string | number | null): string {
  if (value === null) return '';
  const raw = String(value);
  const text = name === 'key' && /^[=+\-@\t\r]/.test(raw) ? `'${raw}` : raw;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
