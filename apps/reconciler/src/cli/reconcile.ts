import type { Command } from 'commander';
import type { ShardId } from '@surety/domain';
import { ItemBackoff } from '../sweeps/item-backoff.js';
import type { Repair, Trouble } from '../sweeps/repair.js';
import { runRouted } from '../sweeps/routing.js';
import { ShardSweeps } from '../sweeps/run-sweeps.js';
import type { SweepContext } from '../sweeps/context.js';
import { beginChange, changing } from './change.js';
import type { ChangeOptions } from './change.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { EXIT, errorLine, toJson } from './output.js';
import { withShards } from './session.js';
import type { Session } from './session.js';
import { table } from './table.js';

interface PassReport {
  readonly dryRun: boolean;
  readonly repairs: readonly Repair[];
  readonly troubles: readonly (Omit<Trouble, 'error'> & { readonly error?: string })[];
}

const BACKOFF_ITEMS_MAX = 100_000;
/** Longer than any command runs: what was tried is not tried again by the same command. */
const BACKOFF_FIRST_MS = 24 * 3_600_000;
/** Passes over one shard: bounds a command that meets more open work than one pass takes up. */
const PASSES_MAX = 200;

export function registerReconcile(program: Command, { host, exit }: CommandContext): void {
  const reconcile = program
    .command('reconcile')
    .description('drives on what stands still, with the steps of the saga');
  const run = reconcile
    .command('run')
    .description('all sweeps over all shards, once from end to end, now');
  changing(run).action(async (options: ChangeOptions) => {
    exit(await runReconcile(host, options));
  });
  explained(run, {
    notes: [
      'Works beside a running reconciler and beside the workers: every repair is a step that takes ' +
        'effect once, whoever takes it.',
    ],
    json: [
      '{ dryRun, repairs: [{ kind, cause, shard, slot, transferId, before, after }],',
      '  troubles: [{ kind, shard, transferId, message, error }] }',
    ],
    exitCodes: {
      '0': 'everything that stood still was driven on',
      '1': 'something could not be put right, and says why',
      '2': 'the command could not run, or was called wrongly',
    },
    examples: [
      ['surety reconcile run --dry-run', 'what would be done'],
      ['surety reconcile run --reason "Kafka was away" --yes', 'do it now, without a question'],
    ],
  });
}

/**
 * All sweeps over all shards, once from end to end. No lease is taken: every repair is a step that takes
 * effect once, so a pass beside a running reconciler can only find that the work is done.
 */
async function runReconcile(host: CliHost, options: ChangeOptions): Promise<number> {
  const change = await beginChange(host, options);
  return withShards(host, async (session) => {
    await change.confirm('Run all sweeps over all shards now?');
    const report = await pass(session, options.dryRun);
    host.print(options.json ? toJson(report) : printReport(report));
    return report.troubles.length > 0 ? EXIT.found : EXIT.ok;
  });
}

async function pass(session: Session, dryRun: boolean): Promise<PassReport> {
  const repairs: Repair[] = [];
  const troubles: PassReport['troubles'][number][] = [];
  const complain = ({ error, ...trouble }: Trouble): void => {
    troubles.push(error === undefined ? trouble : { ...trouble, error: errorLine(error) });
  };
  const listener = { repaired: (repair: Repair) => repairs.push(repair), trouble: complain };
  for (const { id } of session.sweepShards) {
    await sweepShardOnce(session, id, { dryRun, listener }).catch((error: unknown) => {
      complain({
        kind: 'shard_away',
        shard: id,
        message: `the sweeps of shard ${id} could not be finished`,
        error,
      });
    });
  }
  return { dryRun, repairs, troubles };
}

async function sweepShardOnce(
  { pools, sweepShards, config }: Session,
  source: ShardId,
  report: Pick<SweepContext, 'dryRun' | 'listener'>,
): Promise<void> {
  // A fresh memory: everything that is due by age is tried, and once.
  const backoff = (): ItemBackoff =>
    new ItemBackoff({
      firstMs: BACKOFF_FIRST_MS,
      maxMs: BACKOFF_FIRST_MS,
      itemsMax: BACKOFF_ITEMS_MAX,
      now: () => performance.now(),
    });
  const memory = { itemBackoff: backoff(), shardBackoff: backoff() };
  const sweeps = new ShardSweeps();
  const routing = { slotMaps: pools.slotMaps, shards: sweepShards, source };
  for (let pass = 0; pass === 0 || (sweeps.hasMore && pass < PASSES_MAX); pass += 1) {
    await runRouted(routing, (route) =>
      sweeps.run({ ...config, ...report, ...memory, ...route, mayGoOn: () => true }),
    );
  }
}

function printReport({ dryRun, repairs, troubles }: PassReport): string {
  const lines: string[] = [];
  if (repairs.length > 0) {
    const rows = repairs.map(({ kind, cause, shard, transferId, before, after }) => [
      kind,
      cause,
      String(shard),
      transferId,
      JSON.stringify(before),
      JSON.stringify(after),
    ]);
    lines.push(table(['repair', 'because', 'shard', 'transfer', 'before', 'after'], rows), '');
  }
  for (const { kind, shard, transferId, message, error } of troubles) {
    const where = transferId ? `shard ${shard}, transfer ${transferId}` : `shard ${shard}`;
    lines.push(`trouble: ${kind} (${where}): ${message}${error ? `: ${error}` : ''}`);
  }
  const verb = dryRun ? 'would be made' : 'made';
  lines.push(`${repairs.length} repairs ${verb}, ${troubles.length} troubles`);
  return lines.join('\n');
}
