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
  const entries = results.reduce((sum, one) => sum + one.entries, 0n);
  const compared = `${seals} seals, ${entries} entries compared`;
  return found === 0 ? `${compared}: the ledger is what was sealed` : `${compared}: ${found} found`;
}
