import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { parseTransferId } from '@surety/domain';
import type { CurrencyTable, Money } from '@surety/domain';
import { errorLine } from '@surety/runtime';
import { CliError } from '../output.js';
import { readAmount } from './amount.js';
import { Calendar, DateFormat } from './calendar.js';
import type { Day } from './calendar.js';
import { amountKey } from './rows.js';
import type { FileRow } from './rows.js';
import type { Rules } from './rules.js';

/** A report of mistakes names this many; the rest is counted. */
const MISTAKES_MAX = 50;
/** No bank's line is longer; without a bound an unclosed quote would read the file into memory. */
const LINE_BYTES_MAX = 128 * 1024;

interface ParsedLine {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads the file as a stream, row by row.
 * @param take is given each row
 * @returns how many lines with data there were
 * @throws CliError that names every line that cannot be read: nothing can be concluded then
 */
export async function readFileRows(
  path: string,
  { rules, currencies }: { readonly rules: Rules; readonly currencies: CurrencyTable },
  take: (row: FileRow) => void,
): Promise<number> {
  const { delimiter, encoding, skipLines } = rules.file;
  const mistakes = new Mistakes(path);
  const parser = parse({
    ...{ delimiter, encoding, bom: true, info: true, trim: true },
    ...{ from_line: skipLines + 1, skip_empty_lines: true, max_record_size: LINE_BYTES_MAX },
    skip_records_with_error: true,
    on_skip: (error) => {
      mistakes.add(Number(error?.['lines'] ?? 0), error?.message ?? 'cannot be read');
    },
  });
  let reader: LineReader | undefined;
  let lines = 0;
  // Kept, not thrown: the pipeline would report that it was aborted, and not why.
  let refusal: CliError | undefined;
  await pipeline(createReadStream(path), parser, async (records: AsyncIterable<ParsedLine>) => {
    for await (const { record, info } of records) {
      if (!reader) {
        const header = headerOf(record, rules, path);
        if (header instanceof CliError) {
          refusal = header;
          return;
        }
        reader = new LineReader(header, rules, currencies);
        continue;
      }
      lines += 1;
      const row = reader.read(record, info.lines);
      if (typeof row === 'string') mistakes.add(info.lines, row);
      else take(row);
    }
  }).catch((error: unknown) => {
    throw refusal ?? readable(path, error);
  });
  if (refusal) throw refusal;
  mistakes.report();
  if (!reader) throw new CliError(`${path} has no header line`);
  return lines;
}

/** Of the system's errors the operator needs what it says, not where it was said. */
function readable(path: string, error: unknown): unknown {
  const isOfSystem = typeof error === 'object' && error !== null && 'syscall' in error;
  return isOfSystem ? new CliError(`${path} cannot be read: ${errorLine(error)}`) : error;
}

class Mistakes {
  readonly #path: string;
  readonly #lines: string[] = [];
  #count = 0;

  constructor(path: string) {
    this.#path = path;
  }

  add(line: number, what: string): void {
    this.#count += 1;
    if (this.#lines.length < MISTAKES_MAX) this.#lines.push(`line ${line}: ${what}`);
  }

  report(): void {
    if (this.#count === 0) return;
    const more = this.#count - this.#lines.length;
    throw new CliError(
      [
        `${this.#path} is not what the rules say; nothing was compared:`,
        ...this.#lines,
        ...(more > 0 ? [`and ${more} more`] : []),
      ].join('\n  '),
    );
  }
}

type Header = ReadonlyMap<string, number>;

/** Where each column is, or what names every column that is missing. */
function headerOf(record: readonly string[], rules: Rules, path: string): Header | CliError {
  const header = new Map(record.map((name, at) => [name, at]));
  const { columns, sign } = rules.file;
  const wanted = [...Object.values(columns), ...(typeof sign === 'string' ? [] : [sign.column])];
  const missing = wanted.filter((name) => name !== undefined && !header.has(name));
  if (missing.length === 0) return header;
  const names = missing.map((name) => JSON.stringify(name)).join(', ');
  const found = record.map((name) => JSON.stringify(name)).join(', ');
  return new CliError(`${path} has no column ${names}; its header is ${found}`);
}

/** Turns the cells of a line into a row, or says what is wrong with it. */
class LineReader {
  readonly #header: Header;
  readonly #rules: Rules;
  readonly #currencies: CurrencyTable;
  readonly #calendar: Calendar;
  readonly #dates: DateFormat | undefined;

  constructor(header: Header, rules: Rules, currencies: CurrencyTable) {
    this.#header = header;
    this.#rules = rules;
    this.#currencies = currencies;
    this.#calendar = new Calendar(rules.file.timeZone);
    this.#dates = DateFormat.parse(rules.file.dateFormat);
  }

  read(record: readonly string[], line: number): FileRow | string {
    const { columns } = this.#rules.file;
    const cell = (name: string): string => record[this.#header.get(name) ?? -1] ?? '';
    const sum = this.#sumOf(cell);
    if (typeof sum === 'string') return sum;
    const day = columns.date === undefined ? null : this.#dayOf(cell(columns.date));
    if (day === undefined) return `${JSON.stringify(cell(columns.date ?? ''))} is no date`;
    const key = this.#keyOf(columns.key === undefined ? '' : cell(columns.key), sum);
    return key === '' ? 'the key is empty' : { side: 'file', key, line, ...sum, day };
  }

  #sumOf(cell: (name: string) => string): Money | string {
    const { columns, currency: constant } = this.#rules.file;
    const code = constant ?? cell(columns.currency ?? '');
    const currency = this.#currencies.get(code);
    if (!currency) return `${JSON.stringify(code)} is not a known currency`;
    const text = cell(columns.amount);
    const amount = readAmount(text, this.#rules.file, currency);
    if (!amount.ok) return `${JSON.stringify(text)} ${amount.fault}`;
    const minor = this.#signed(amount.minor, cell);
    if (minor === undefined) return 'the column of the direction has a value that no rule names';
    return { minor, currency: code };
  }

  #signed(minor: bigint, cell: (name: string) => string): bigint | undefined {
    const { sign } = this.#rules.file;
    if (sign === 'positive_in') return minor;
    if (sign === 'positive_out') return -minor;
    const direction = cell(sign.column);
    if (sign.in.includes(direction)) return minor;
    return sign.out.includes(direction) ? -minor : undefined;
  }

  #dayOf(text: string): Day | undefined {
    return this.#dates?.dayOf(text, this.#calendar);
  }

  #keyOf(text: string, { minor, currency }: Money): string {
    const { by } = this.#rules.match;
    if (by === 'amountAndDate') return amountKey(minor, currency);
    return by === 'transferId' ? (parseTransferId(text) ?? text) : text;
  }
}
