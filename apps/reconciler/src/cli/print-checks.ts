import type { CheckRun } from '../checks/check-system.js';
import type { CheckResult, Finding } from '../checks/types.js';
import { table } from './table.js';

/** What was looked at, what was found, and what that leaves verified. */
export function printCheckRun(run: CheckRun): string {
  const lines = [`checked: ${coverText(run)}`, '', printChecks(run.results)];
  if (run.isVerified) lines.push(`verified point: ${run.at}`);
  if (run.form === 'since' && run.lastFull && run.lastFull.findings > 0) {
    lines.push(
      `note: the last check of everything (${run.lastFull.at}) found ${run.lastFull.findings} broken: ` +
        'surety check --full says whether they still are',
    );
  }
  return lines.join('\n');
}

/** How far a look went back, and up to when: `everything, as of …`. */
export function coverText({ since, at }: Pick<CheckRun, 'since' | 'at'>): string {
  const looked = since === null ? 'everything' : `what has happened since ${since}`;
  return `${looked}, as of ${at}`;
}

/** One line per check, then every row that breaks one, then the verdict. */
export function printChecks(results: readonly CheckResult[]): string {
  const lines = [
    table(
      ['check', 'result', 'rows', 'ms', 'promise'],
      results.map((result) => [
        result.check,
        result.ok ? 'ok' : 'BROKEN',
        result.rowsChecked,
        Math.round(result.ms),
        result.promise,
      ]),
    ),
  ];
  for (const { check, notes } of results) {
    for (const note of notes) lines.push(`note: ${check}: ${note}`);
  }
  const broken = results.filter((result) => !result.ok);
  for (const result of broken) lines.push('', ...findingsOf(result));
  lines.push('', verdict(results, broken));
  return lines.join('\n');
}

function findingsOf({ check, findings, isCut }: CheckResult): string[] {
  const heading = `${check}: ${findings.length}${isCut ? ' or more' : ''} broken`;
  const rows = findings.map((finding) => [
    finding.shard === null ? 'all' : String(finding.shard),
    finding.key,
    finding.problem,
    detailText(finding),
  ]);
  return [heading, table(['shard', 'row', 'problem', 'values'], rows)];
}

/** `balance=100 legs=90`: short enough for a table, and greppable. */
export function detailText({ detail }: Pick<Finding, 'detail'>): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name}=${value ?? 'none'}`)
    .join(' ');
}

function verdict(results: readonly CheckResult[], broken: readonly CheckResult[]): string {
  const looked = results.length === 1 ? '1 check' : `${results.length} checks`;
  if (broken.length === 0) return `${looked}, all promises kept`;
  return `${looked}, ${broken.length} broken: ${broken.map((one) => one.check).join(', ')}`;
}
