import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CliHost } from '../host.js';
import { CliError, EXIT } from '../output.js';
import { Progress } from '../progress.js';
import { withShards } from '../session.js';
import type { Session } from '../session.js';
import { dateOfDay, dayOfDate } from './calendar.js';
import { readFileRows } from './file-rows.js';
import { readLedgerRows } from './ledger-rows.js';
import { matchRows } from './match.js';
import type { MatchRules } from './match.js';
import { isClean, printReport } from './report.js';
import type { Format, MatchReport } from './report.js';
import type { Difference, DifferenceKind, FileRow } from './rows.js';
import { parseRules } from './rules.js';
import type { Rules } from './rules.js';
import { Slices } from './slices.js';

/** Differences that are kept for the report; beyond these they are counted. */
export const DIFFERENCES_MAX = 100_000;
const RULES_BYTES_MAX = 1024 * 1024;

export interface MatchOptions {
  readonly rules: string;
  readonly format: Format;
  readonly out?: string;
}

/** Compares the file with the account of the rules and prints what does not agree. */
export async function runMatch(
  host: CliHost,
  file: string,
  { rules: rulesFile, format, out }: MatchOptions,
): Promise<number> {
  return withShards(host, async (session) => {
    const rules = parseRules(readText(resolve(host.directory, rulesFile)), session.currencies);
    const report = await compare({ host, session, rules }, file);
    const text = printReport(report, format, session.currencies);
    if (out === undefined) host.print(text);
    else writeText(resolve(host.directory, out), `${text}\n`);
    return isClean(report) ? EXIT.ok : EXIT.found;
  });
}

interface Matching {
  readonly host: CliHost;
  readonly session: Session;
  readonly rules: Rules;
}

async function compare({ host, session, rules }: Matching, file: string): Promise<MatchReport> {
  const slices = new Slices();
  const progress = new Progress(host, 'rows read');
  const { currencies } = session;
  let read = 0;
  let linesLeftOut = 0;
  let movementsHere = 0;
  try {
    const isWanted = wantedLines(rules);
    const path = resolve(host.directory, file);
    const linesInFile = await readFileRows(path, { rules, currencies }, (row) => {
      progress.at((read += 1));
      if (isWanted(row)) slices.add(row);
      else linesLeftOut += 1;
    });
    await readLedgerRows(session, rules, (row) => {
      progress.at((read += 1));
      movementsHere += 1;
      slices.add(row);
    });
    const { account, from, to } = rules.transfers;
    const found = matchSlices(slices, matchRulesOf(rules));
    return { file, account, from, to, linesInFile, linesLeftOut, movementsHere, ...found };
  } finally {
    progress.end();
    slices.remove();
  }
}

/** Lines of the wanted direction and near enough to the window to have a partner in it. */
function wantedLines(rules: Rules): (row: FileRow) => boolean {
  const { from, to, dateToleranceDays: off } = matchRulesOf(rules);
  const { direction } = rules.transfers;
  return ({ minor, day }) => {
    if (direction !== 'both' && (direction === 'in') !== minor > 0n) return false;
    return day === null || (day >= from - off && day < to + off);
  };
}

function matchRulesOf({ match, transfers }: Rules): MatchRules {
  return {
    by: match.by === 'amountAndDate' ? 'amountAndDate' : 'key',
    dateToleranceDays: match.dateToleranceDays,
    toleranceMinor: (currency) => BigInt(match.tolerance[currency] ?? 0),
    from: dayOfDate(transfers.from) ?? 0,
    to: dayOfDate(transfers.to) ?? 0,
  };
}

type Found = Pick<MatchReport, 'matched' | 'byKind' | 'differences' | 'isCut'>;

function matchSlices(slices: Slices, rules: MatchRules): Found {
  const byKind: Record<DifferenceKind, number> = {
    missing_here: 0,
    missing_there: 0,
    amount_differs: 0,
    currency_differs: 0,
    duplicate_in_file: 0,
  };
  const kept: Difference[] = [];
  let matched = 0;
  let isCut = false;
  for (const { files, ledgers } of slices) {
    const result = matchRows(files, ledgers, rules);
    matched += result.matched;
    for (const difference of result.differences) {
      byKind[difference.kind] += 1;
      if (kept.length < DIFFERENCES_MAX) kept.push(difference);
      else isCut = true;
    }
  }
  return { matched, byKind, differences: kept.sort(inOrder), isCut };
}

/** By line as the file has them; what the file has not follows, by day and transfer. */
function inOrder(a: Difference, b: Difference): number {
  const [left, right] = [placeOf(a), placeOf(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function placeOf({ file, ledger }: Difference): string {
  if (file) return `0 ${String(file.line).padStart(12, '0')}`;
  return `1 ${ledger ? `${dateOfDay(ledger.day)} ${ledger.transferId}` : ''}`;
}

function readText(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length <= RULES_BYTES_MAX) return text;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`the rules cannot be read: ${why}`);
  }
  throw new CliError(`the rules are too large: ${path}`);
}

function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`the report cannot be written: ${why}`);
  }
}
