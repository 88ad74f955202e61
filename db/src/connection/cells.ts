/** Reads what the driver hands over. Rows come as arrays in the order of the selected columns. */
import type { Timestamp } from '@surety/contracts';
import type { TransferId } from '@surety/domain';

export type Cell = string | number | Buffer | null;
export type Row = readonly Cell[];

function unexpected(wanted: string, cell: Cell | undefined): never {
  throw new TypeError(`expected ${wanted} from the database, got ${typeof cell}`);
}

export function readText(cell: Cell | undefined): string {
  return typeof cell === 'string' ? cell : unexpected('text', cell);
}

export function readTextOrNull(cell: Cell | undefined): string | null {
  return cell === null ? null : readText(cell);
}

/** Of a BIGINT or an exact sum: never through a floating-point number. */
export function readBigint(cell: Cell | undefined): bigint {
  if (typeof cell === 'string') return BigInt(cell);
  return typeof cell === 'number' && Number.isSafeInteger(cell)
    ? BigInt(cell)
    : unexpected('a whole number', cell);
}

export function readBigintOrNull(cell: Cell | undefined): bigint | null {
  return cell === null ? null : readBigint(cell);
}

/** Of a column that is no money and small by its nature. */
export function readCount(cell: Cell | undefined): number {
  const value = Number(typeof cell === 'string' || typeof cell === 'number' ? cell : Number.NaN);
  return Number.isSafeInteger(value) ? value : unexpected('a small whole number', cell);
}

export function readFlag(cell: Cell | undefined): boolean {
  return readCount(cell) !== 0;
}

export function readHex(cell: Cell | undefined): string {
  return cell instanceof Uint8Array ? cell.toString('hex') : unexpected('bytes', cell);
}

export function readUuid(cell: Cell | undefined): TransferId {
  const hex = readHex(cell);
  const [a, b, c] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16)];
  return `${a}-${b}-${c}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function readUuidOrNull(cell: Cell | undefined): TransferId | null {
  return cell === null ? null : readUuid(cell);
}

/** DATETIME(6) in UTC as 2026-01-31T10:15:30.123456Z. */
export function readTime(cell: Cell | undefined): Timestamp {
  const value = readText(cell);
  return `${value.slice(0, 10)}T${value.slice(11)}Z`;
}

export function readTimeOrNull(cell: Cell | undefined): Timestamp | null {
  return cell === null ? null : readTime(cell);
}
