import { placeText } from '../seals/finding-text.js';
import type { ShardVerification } from '../seals/verify-shard.js';
import { table } from './table.js';

/** One line per shard, then every row that is not what was sealed, then the verdict. */
export function printVerifications(results: readonly ShardVerification[]): string {
  const lines = [
    table(
      ['shard', 'result', 'seals', 'entries', 'not sealed yet', 'sealed until', 'ms'],
      results.map(({ shard, seals, entries, unsealedEntries, head, findingsTotal, ms }) => [
        shard,
        findingsTotal === 0 ? 'ok' : 'BROKEN',
        seals,
        entries,
        unsealedEntries,
        head?.sealedAt ?? 'nothing is sealed',
        ms,
      ]),
    ),
  ];
  for (const { shard, head } of results) {
    if (head) lines.push(`anchor: ${shard}:${head.seal}:${head.hash}`);
  }
  for (const result of results) lines.push(...findingsOf(result));
  lines.push('', verdict(results));
  return lines.join('\n');
}

function findingsOf({ shard, findings, findingsTotal }: ShardVerification): string[] {
  if (findingsTotal === 0) return [];
  const isCut = findingsTotal > findings.length;
  const shown = isCut ? `, the first ${findings.length} of them here` : '';
  const rows = findings.map((finding) => [
    `${finding.subject} ${finding.kind}`,
    placeText(finding),
    finding.problem,
    Object.entries(finding.detail)
      .map(([name, value]) => `${name}=${value ?? 'none'}`)
      .join(' '),
  ]);
  return [
    '',
    `shard ${shard}: ${findingsTotal} found${shown}`,
    table(['what', 'which', 'problem', 'values'], rows),
  ];
}

function verdict(results: readonly ShardVerification[]): string {
  const found = results.reduce((sum, { findingsTotal }) => sum + findingsTotal, 0);
  const seals = results.reduce((sum, one) => sum + one.seals, 0);
  const compared = seals === 0 ? nothingCompared(results) : comparedText(results, seals);
  if (found > 0) return `${compared}: ${found} found`;
  return seals === 0 ? compared : `${compared}: the ledger is what was sealed`;
}

function comparedText(results: readonly ShardVerification[], seals: number): string {
  const entries = results.reduce((sum, one) => sum + one.entries, 0n);
  return `${seals} seals, ${entries} entries compared`;
}

/** Where there was no seal to compare with, nothing is proven: that must not read as if it were. */
function nothingCompared(results: readonly ShardVerification[]): string {
  const waiting = results.reduce((sum, one) => sum + one.unsealedEntries, 0n);
  const which = results.some(({ head }) => head) ? 'no later seal yet' : 'nothing is sealed yet';
  return `${which}, nothing was compared, ${waiting} entries wait to be sealed`;
}
