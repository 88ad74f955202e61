import type { Command } from 'commander';
import type { ShardId } from '@surety/domain';
import { listExpiredHolds, listHolds, listTransfers } from '@surety/db';
import type { Shard } from '@surety/db';
import type { HoldRow } from '@surety/saga';
import { amountText } from './amount-text.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption, limitOption } from './options.js';
import { EXIT, toJson } from './output.js';
import { withShards } from './session.js';
import type { Session } from './session.js';
import { table } from './table.js';

interface ListedHold extends HoldRow {
  readonly shard: ShardId;
  readonly destination: string | null;
  readonly currency: string | null;
}

interface HoldsListOptions {
  readonly json: boolean;
  readonly orphaned: boolean;
  readonly limit: number;
}

export function registerHoldsList(holds: Command, { host, exit }: CommandContext): void {
  const list = holds
    .command('list')
    .description('open holds of all shards, those that expire first on top')
    .option('--orphaned', 'only those that have expired already', false)
    .addOption(limitOption('per shard', 100))
    .addOption(jsonOption())
    .action(async (options: HoldsListOptions) => {
      exit(await runHoldsList(host, options));
    });
  explained(list, {
    json: ['[{ transferId, shard, slot, account, destination, amountMinor, currency, expiresAt }]'],
    examples: [
      ['surety holds list', 'what is promised now'],
      ['surety holds list --orphaned --json | jq length', 'how many holds have expired'],
    ],
  });
}

/** Open holds of all shards, those that expire first on top. */
async function runHoldsList(host: CliHost, options: HoldsListOptions): Promise<number> {
  return withShards(host, async (session) => {
    const perShard = await Promise.all(
      session.pools.shards.map((shard) => holdsOf(shard, options)),
    );
    const holds = perShard.flat().sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1));
    if (options.json) host.print(toJson(holds));
    else host.print(printHolds(session, holds, options.orphaned ? 'orphaned' : 'open'));
    return EXIT.ok;
  });
}

async function holdsOf(shard: Shard, options: HoldsListOptions): Promise<ListedHold[]> {
  const list = options.orphaned ? listExpiredHolds : listHolds;
  const holds = await list(shard, options.limit);
  const transfers = await listTransfers(
    shard,
    holds.map((hold) => hold.transferId),
  );
  const byId = new Map(transfers.map((transfer) => [transfer.id, transfer]));
  return holds.map((hold) => {
    const transfer = byId.get(hold.transferId);
    const { destination = null, currency = null } = transfer ?? {};
    return { ...hold, shard: shard.id, destination, currency };
  });
}

function printHolds(session: Session, holds: readonly ListedHold[], which: string): string {
  if (holds.length === 0) return `no ${which} holds`;
  const rows = holds.map((hold) => [
    hold.transferId,
    String(hold.shard),
    hold.account,
    hold.destination,
    amountText(hold.amountMinor, hold.currency, session.currencies),
    hold.expiresAt,
  ]);
  const headings = ['transfer', 'shard', 'held on', 'destination', 'amount', 'expires'];
  return `${table(headings, rows)}\n\n${holds.length} ${which} holds`;
}
