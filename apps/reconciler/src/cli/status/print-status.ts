import type { CurrencyTable } from '@surety/domain';
import { amountText } from '../amount-text.js';
import { table } from '../table.js';
import { ageText } from './report.js';
import type { StatusReport } from './report.js';
import type { ShardStatus } from './shard-status.js';

/** One screen: processes, shards, held money, and what a person should look at. */
export function printStatus(report: StatusReport, currencies: CurrencyTable): string {
  const blocks = [
    `status at ${report.at}`,
    processBlock(report),
    shardBlock(report.shards),
    proofBlock(report.shards),
    heldBlock(report, currencies),
    attentionBlock(report),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function processBlock({ processes }: StatusReport): string {
  if (!processes) {
    return 'processes: unknown here (set SURETY_PROCESSES=name=http://host:port,...)';
  }
  return table(
    ['process', 'state', 'up', 'lag', 'version', 'address', 'trouble'],
    processes.map(({ name, state, uptimeSeconds, lagMessages, version, url, trouble }) => [
      name,
      state,
      uptimeSeconds === null ? '' : ageText(uptimeSeconds),
      lagMessages === null ? '-' : String(lagMessages),
      version,
      url,
      trouble.join(', '),
    ]),
  );
}

function shardBlock(shards: readonly ShardStatus[]): string {
  return table(
    ['shard', 'state', 'outbox', 'oldest message', 'requested', 'held', 'oldest open transfer'],
    shards.map((shard) => {
      if (!shard.answers) return [String(shard.id), 'away'];
      const { outbox, open } = shard;
      return [
        ...[String(shard.id), 'up'],
        `${outbox.rows}${outbox.isMore ? ' or more' : ''}`,
        outbox.rows === 0 ? '-' : ageText(outbox.oldestAgeSeconds),
        String(open.byState['requested'] ?? 0),
        String(open.byState['held'] ?? 0),
        open.oldest ? `${ageText(open.oldest.ageSeconds)} ${open.oldest.transferId}` : '-',
      ];
    }),
  );
}

/** What the checks have proven, what was given up, and who leads. */
function proofBlock(shards: readonly ShardStatus[]): string {
  const rows = shards.flatMap((shard) => {
    if (!shard.answers) return [];
    const { verifiedAt, fullAt, fullFindings, now } = shard.checked;
    const full = fullAt === null ? 'never' : `${agoText(fullAt, now)}: ${fullFindings} found`;
    const leases = shard.leases.map(
      ({ name, holder, isHeld }) => `${name}: ${isHeld ? holder : 'nobody'}`,
    );
    const verified = agoText(verifiedAt, now);
    return [[String(shard.id), verified, full, String(shard.openDeadLetters), leases.join(', ')]];
  });
  const headings = ['shard', 'verified up to', 'last full check', 'open dead letters', 'leases'];
  return rows.length === 0 ? '' : table(headings, rows);
}

function agoText(at: string | null, now: string): string {
  if (at === null) return 'never';
  return `${ageText(Math.max(0, (Date.parse(now) - Date.parse(at)) / 1_000))} ago`;
}

function heldBlock({ held }: StatusReport, currencies: CurrencyTable): string {
  if (held.length === 0) return 'held: nothing';
  const sums = held.map(
    ({ currency, sumMinor, holds }) =>
      `${amountText(sumMinor, currency, currencies)} (${holds} ${holds === 1 ? 'hold' : 'holds'})`,
  );
  return `held: ${sums.join(', ')}`;
}

function attentionBlock({ attention }: StatusReport): string {
  if (attention.length === 0) return 'nothing stands out';
  return ['look at:', ...attention.map((line) => `  ${line}`)].join('\n');
}
