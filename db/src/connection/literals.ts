/**
 * Values as SQL text. Statements are sent as text with literals: a bound string, and on MariaDB a
 * bound bigint too, takes part in arithmetic and comparisons as DOUBLE and is then no longer exact.
 */
import type { Timestamp } from '@surety/contracts';
import { digitsOfTransferId } from '@surety/domain';
import { StoreError } from '@surety/saga';
import { escape } from 'mysql2';

const WORD = /^[A-Za-z0-9._:~-]{1,64}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEX = /^(?:[0-9a-f]{2})*$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/;

function refuse(what: string, value: string): never {
  throw new StoreError('data', `${JSON.stringify(value.slice(0, 80))} is not ${what}`);
}

/** Bounds a memory of literals: a batch has far fewer, and names each in up to eight statements. */
const REMEMBERED_MAX = 4_096;

function remembered(literalOf: (value: string) => string): (value: string) => string {
  const known = new Map<string, string>();
  return (value) => {
    const before = known.get(value);
    if (before !== undefined) return before;
    const literal = literalOf(value);
    if (known.size >= REMEMBERED_MAX) known.clear();
    known.set(value, literal);
    return literal;
  };
}

/**
 * An identifier or code for a column in ascii_bin. Anything else is refused here: a literal beyond
 * ASCII makes the engine convert the column, which scans and locks the whole table, and trailing
 * spaces would be ignored in comparisons.
 */
export const word: (value: string) => string = remembered((value) =>
  WORD.test(value) ? `'${value}'` : refuse('an identifier', value),
);

export function wordOrNull(value: string | null): string {
  return value === null ? 'NULL' : word(value);
}

export const uuid: (id: string) => string = remembered((id) => {
  if (!UUID.test(id)) refuse('a transfer id', id);
  return `x'${digitsOfTransferId(id)}'`;
});

/** A UUID's 32 hex digits. */
export function uuidHex(id: string): string {
  return uuid(id).slice(2, -1);
}

export function bytes(hex: string): string {
  return HEX.test(hex) ? `x'${hex}'` : refuse('a string of hex digits', hex);
}

/** Anything but printable ASCII that means nothing inside single quotes. */
const SPECIAL = /[^ -&(-[\]-~]/;
const BEYOND_ASCII = /[\u0080-\uffff]/;

function utf8Hex(value: string): string {
  return `x'${Buffer.from(value, 'utf8').toString('hex')}'`;
}

/**
 * Any text, to be compared or stored. It is ASCII on the wire, whatever is in it: sessions say that
 * statements come in a single-byte character set.
 */
export function text(value: string): string {
  if (!SPECIAL.test(value)) return `'${value}'`;
  return BEYOND_ASCII.test(value) ? `_utf8mb4 ${utf8Hex(value)}` : escape(value);
}

/**
 * A long text, such as JSON, for a column that stores it and compares it with nothing. It comes as
 * bytes, which the column checks for being UTF-8 and takes without reading them a second time: see
 * docs/decisions/0044. Three searches of the machine's own are far faster than one expression.
 */
export function storedText(value: string): string {
  const isPlain =
    Buffer.byteLength(value) === value.length && !value.includes("'") && !value.includes('\\');
  return isPlain ? `_binary'${value}'` : utf8Hex(value);
}

export function storedTextOrNull(value: string | null): string {
  return value === null ? 'NULL' : storedText(value);
}

/** A DATETIME(6) in UTC from 2026-01-31T10:15:30.123456Z: a batch writes few times into many rows. */
export const time: (value: Timestamp) => string = remembered((value) => {
  if (!TIMESTAMP.test(value)) refuse('a time in UTC', value);
  return `'${value.slice(0, 10)} ${value.slice(11, -1)}'`;
});

/** The text of the same. */
export function dateTime(value: Timestamp): string {
  return time(value).slice(1, -1);
}

/** A whole number that is no money: a slot, a limit, milliseconds. */
export function count(value: number): string {
  if (!Number.isSafeInteger(value)) refuse('a whole number', String(value));
  return String(value);
}

type JsonCell = string | bigint | null;

/** JSON that a literal in single quotes holds as it is, and in which nothing had to be escaped. */
const PLAIN_JSON = /^[ -&(-[\]-~]*$/;

/**
 * Rows of a JSON_TABLE. Numbers travel as strings and are exact; the cells are words, hex digits
 * and whole numbers only, so that the text needs no escaping, as a backslash in it would show.
 */
export function jsonRows(rows: readonly (readonly JsonCell[])[]): string {
  const json = JSON.stringify(rows.map((cells) => cells.map(cellText)));
  return PLAIN_JSON.test(json) ? `'${json}'` : refuse('a list of plain cells', json);
}

function cellText(cell: JsonCell): string | null {
  return typeof cell === 'bigint' ? cell.toString() : cell;
}

/**
 * What is written of each item, with commas between. A list that is joined copies all of the text, and
 * so would each of the statements around it: this is copied once, when its packet is put together.
 */
export function listed<T>(items: readonly T[], write: (item: T) => string): string {
  let text = '';
  for (const item of items) text += text === '' ? write(item) : `,${write(item)}`;
  return text;
}
