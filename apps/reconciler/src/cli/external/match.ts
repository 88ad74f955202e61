import type { Day } from './calendar.js';
import type { Difference, FileRow, LedgerRow } from './rows.js';

export interface MatchRules {
  readonly by: 'key' | 'amountAndDate';
  readonly dateToleranceDays: number;
  readonly toleranceMinor: (currency: string) => bigint;
  /** First day and the day after the last: what lies outside is matched and never missed. */
  readonly from: Day;
  readonly to: Day;
}

export interface MatchResult {
  matched: number;
  readonly differences: Difference[];
}

/** Pairs the rows of both sides, all of one slice: rows of one key are never in two slices. */
export function matchRows(
  files: readonly FileRow[],
  ledgers: readonly LedgerRow[],
  rules: MatchRules,
): MatchResult {
  const result: MatchResult = { matched: 0, differences: [] };
  const ledgersByKey = byKey(ledgers);
  const filesByKey = byKey(files);
  for (const key of new Set([...filesByKey.keys(), ...ledgersByKey.keys()])) {
    const there = filesByKey.get(key) ?? [];
    const here = ledgersByKey.get(key) ?? [];
    if (rules.by === 'key') matchKey(there, here, { rules, result });
    else matchDays(there, here, { rules, result });
  }
  return result;
}

function byKey<Row extends { readonly key: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.key);
    if (group) group.push(row);
    else groups.set(row.key, [row]);
  }
  return groups;
}

interface Matching {
  readonly rules: MatchRules;
  readonly result: MatchResult;
}

/**
 * Rows of one key: first those that agree, then the others as they come, which then differ. What the
 * file has beyond our movements is a duplicate where one was paired, else missing here.
 */
function matchKey(
  there: readonly FileRow[],
  here: readonly LedgerRow[],
  { rules, result }: Matching,
): void {
  const open = [...here];
  const unpaired: FileRow[] = [];
  for (const file of there) {
    const at = open.findIndex((ledger) => agrees(file, ledger, rules));
    if (at < 0) unpaired.push(file);
    else {
      open.splice(at, 1);
      result.matched += 1;
    }
  }
  for (const file of unpaired) {
    const ledger = open.shift();
    if (ledger) {
      const kind = file.currency === ledger.currency ? 'amount_differs' : 'currency_differs';
      result.differences.push({ kind, file, ledger });
    } else if (here.length > 0 || file !== there[0]) {
      result.differences.push({ kind: 'duplicate_in_file', file, ledger: here[0] });
    } else {
      missHere(file, { rules, result });
    }
  }
  for (const ledger of open) missThere(ledger, { rules, result });
}

function agrees(file: FileRow, ledger: LedgerRow, rules: MatchRules): boolean {
  if (file.currency !== ledger.currency) return false;
  const off = file.minor - ledger.minor;
  const tolerance = rules.toleranceMinor(file.currency);
  return off <= tolerance && off >= -tolerance;
}

/**
 * Rows of one amount: each line takes the earliest movement that is near enough. Both sides in the
 * order of their days and all windows equally wide, no other pairing finds more pairs.
 */
function matchDays(
  there: readonly FileRow[],
  here: readonly LedgerRow[],
  { rules, result }: Matching,
): void {
  const files = [...there].sort((a, b) => (a.day ?? 0) - (b.day ?? 0) || a.line - b.line);
  const ledgers = [...here].sort((a, b) => a.day - b.day);
  let next = 0;
  for (const file of files) {
    const day = file.day ?? 0;
    for (; next < ledgers.length; next += 1) {
      const ledger = ledgers[next] as LedgerRow;
      if (ledger.day >= day - rules.dateToleranceDays) break;
      missThere(ledger, { rules, result });
    }
    const ledger = ledgers[next];
    if (ledger && ledger.day <= day + rules.dateToleranceDays) {
      next += 1;
      result.matched += 1;
    } else {
      missHere(file, { rules, result });
    }
  }
  for (const ledger of ledgers.slice(next)) missThere(ledger, { rules, result });
}

function missHere(file: FileRow, { rules, result }: Matching): void {
  if (file.day !== null && (file.day < rules.from || file.day >= rules.to)) return;
  result.differences.push({ kind: 'missing_here', file, ledger: undefined });
}

function missThere(ledger: LedgerRow, { rules, result }: Matching): void {
  if (ledger.day < rules.from || ledger.day >= rules.to) return;
  result.differences.push({ kind: 'missing_there', file: undefined, ledger });
}
