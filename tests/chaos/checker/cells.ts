import type { ProjectedBalance } from './found.js';
import type { TextRow } from './shard-reader.js';

export function termsOf(row: TextRow): {
  source: string;
  destination: string;
  amount: bigint;
  currency: string;
  reason: string | null;
} {
  return {
    source: text(row, 'source'),
    destination: text(row, 'destination'),
    amount: integer(row, 'amount'),
    currency: text(row, 'currency'),
    reason: row['reason'] ?? null,
  };
}

export function standingOf(row: TextRow): ProjectedBalance {
  return {
    currency: text(row, 'currency'),
    balance: integer(row, 'balance'),
    held: integer(row, 'held'),
    version: integer(row, 'version'),
  };
}

export function text(row: TextRow, column: string): string {
  const value = row[column];
  if (value === null || value === undefined) throw new Error(`column ${column} has no value`);
  return value;
}

export function integer(row: TextRow, column: string): bigint {
  return BigInt(text(row, column));
}

export function nullableInteger(row: TextRow, column: string): bigint | null {
  return row[column] === null ? null : integer(row, column);
}

export function uuidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
