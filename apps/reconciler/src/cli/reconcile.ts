import { ItemBackoff } from '../sweeps/item-backoff.js';
import type { Repair, Trouble } from '../sweeps/repair.js';
import { ShardSweeps } from '../sweeps/run-sweeps.js';
import { EXIT, errorLine, toJson } from './output.js';
import type { CliHost } from './program.js';
import { withShards } from './session.js';
import type { Session } from './session.js';
import { table } from './table.js';

interface PassReport {
  readonly dryRun: boolean;
  readonly repairs: readonly Repair[];
  readonly troubles: readonly (Omit<Trouble, 'error'> & { readonly error?: string })[];
}

const BACKOFF_ITEMS_MAX = 100_000;
const BACKOFF_FIRST_MS = 60_000;

/**
 * One pass of all sweeps over all shards. No lease is taken: every repair is a step that takes
 * effect once, so a pass beside a running reconciler can only find that the work is done.
 */
export async function runReconcile(
  host: CliHost,
  options: { readonly json: boolean; readonly dryRun: boolean },
): Promise<number> {
  return withShards(host, async (session) => {
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
  for (const source of session.sweepShards) {
    // A fresh memory: a single pass tries everything that is due by age.
    const backoff = () =>
      new ItemBackoff({
        firstMs: BACKOFF_FIRST_MS,
        maxMs: BACKOFF_FIRST_MS,
        itemsMax: BACKOFF_ITEMS_MAX,
        now: () => performance.now(),
      });
    const run = new ShardSweeps().run({
      source,
      holdTimeoutMs: session.config.holdTimeoutMs,
      stallTimeoutMs: session.config.stallTimeoutMs,
      dryRun,
      itemBackoff: backoff(),
      shardBackoff: backoff(),
      listener: { repaired: (repair) => repairs.push(repair), trouble: complain },
      shardOf: (slot) => session.sweepShardOf(slot),
      mayGoOn: () => true,
    });
    await run.catch((error: unknown) => {
      complain({
        kind: 'shard_away',
        shard: source.id,
        message: `the sweeps of shard ${source.id} could not be finished`,
        error,
      });
    });
  }
  return { dryRun, repairs, troubles };
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
