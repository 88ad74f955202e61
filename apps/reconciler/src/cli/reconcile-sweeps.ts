import type { ShardId } from '@surety/domain';
import { errorLine } from '@surety/runtime';
import type { SweepContext } from '../sweeps/context.js';
import { ItemBackoff } from '../sweeps/item-backoff.js';
import type { Repair, Trouble } from '../sweeps/repair.js';
import { runRouted } from '../sweeps/routing.js';
import { ShardSweeps } from '../sweeps/run-sweeps.js';
import type { Session } from './session.js';
import { table } from './table.js';

export interface SweepReport {
  readonly repairs: readonly Repair[];
  readonly troubles: readonly (Omit<Trouble, 'error'> & { readonly error?: string })[];
}

const BACKOFF_ITEMS_MAX = 100_000;
/** Longer than any command runs: what was tried is not tried again by the same command. */
const BACKOFF_FIRST_MS = 24 * 3_600_000;
/** Passes over one shard: bounds a command that meets more open work than one pass takes up. */
const PASSES_MAX = 200;

/**
 * All sweeps over all shards, once from end to end. No lease is taken: every repair is a step that takes
 * effect once, so a pass beside a running reconciler can only find that the work is done.
 */
export async function sweepOnce(
  session: Session,
  { author, dryRun }: Pick<SweepContext, 'author' | 'dryRun'>,
): Promise<SweepReport> {
  const repairs: Repair[] = [];
  const troubles: SweepReport['troubles'][number][] = [];
  const complain = ({ error, ...trouble }: Trouble): void => {
    troubles.push(error === undefined ? trouble : { ...trouble, error: errorLine(error) });
  };
  const listener = { repaired: (repair: Repair) => repairs.push(repair), trouble: complain };
  for (const { id } of session.sweepShards) {
    await sweepShardOnce(session, id, { author, dryRun, listener }).catch((error: unknown) => {
      complain({
        kind: 'shard_away',
        shard: id,
        message: `the sweeps of shard ${id} could not be finished`,
        error,
      });
    });
  }
  return { repairs, troubles };
}

async function sweepShardOnce(
  { pools, sweepShards, config }: Session,
  source: ShardId,
  report: Pick<SweepContext, 'author' | 'dryRun' | 'listener'>,
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

export function printSweeps({ repairs, troubles }: SweepReport, dryRun: boolean): string {
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
