import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { insertAuditEntries } from '@surety/db';
import type { Shard } from '@surety/db';
import { SLOT_COUNT, shardOfSlot } from '@surety/domain';
import { PROCESS_NODE_ARGUMENTS } from '@surety/runtime';
import { OPERATOR, beginChange, changing } from './change.js';
import type { Change, ChangeOptions } from './change.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { CliError, EXIT, toJson } from './output.js';
import { Progress } from './progress.js';
import { withShards } from './session.js';
import type { Session } from './session.js';
import { withRunningSystem } from './system-file.js';
import { table } from './table.js';

/** The projector is a program of its own: it is run, not imported. */
const PROJECTOR = new URL('../../../projector/dist/main.js', import.meta.url);
const PROGRESS_INTERVAL_MS = 200;
/** Lines of the child's error output that are worth a person's eyes. */
const ERROR_LINES_MAX = 20;

export function registerProjections(program: Command, { host, exit }: CommandContext): void {
  const projections = program
    .command('projections')
    .description('what readers see: balances and statuses');
  const rebuild = projections
    .command('rebuild')
    .description('makes balances and statuses of all shards anew, from the stored events');
  changing(rebuild).action(async (options: ChangeOptions) => {
    exit(await runRebuild(host, options));
  });
  explained(rebuild, {
    notes: [
      'The projected tables of each shard are cleared and folded again from its events, by the ' +
        'projector program (`main.js rebuild`), with the settings of the system. It may run while ' +
        'everything works: the projector takes what comes meanwhile, and only newer rows are taken. ' +
        'Until the end a row can be absent or old; readers that need the truth read the truth.',
      "An event that cannot be read, a newer release's for instance after a roll-back, is named and " +
        'left out: what it alone knows is absent, or as old as the event before it.',
      'Nothing else is changed, no money is. Running it again begins from zero again.',
    ],
    json: ['{ dryRun, shards: [{ shard, events, rows, unreadable }] }'],
    exitCodes: {
      '0': 'rebuilt (in a dry run: would be)',
      '1': 'rebuilt but for events that cannot be read: they are named',
      '2': 'the rebuild could not be finished: run it again',
    },
    examples: [
      ['surety projections rebuild --dry-run', 'what would be rebuilt'],
      ['surety projections rebuild --reason "rows lost in a restore" --yes', 'from a script'],
    ],
  });
}

interface Rebuilt {
  readonly shard: number;
  readonly events: number;
  readonly rows: number;
  readonly unreadable: number;
}

async function runRebuild(host: CliHost, options: ChangeOptions): Promise<number> {
  const change = await beginChange(host, options);
  return withShards(host, async (session) => {
    const { shards } = session.pools;
    const { dryRun, json } = change;
    if (dryRun) {
      const text = `balances and statuses of ${shards.length} shards would be made anew from their events`;
      host.print(json ? toJson({ dryRun, shards: [] }) : text);
      return EXIT.ok;
    }
    await change.confirm(`make balances and statuses of ${shards.length} shards anew?`);
    // Many transactions make a rebuild, so its line comes first: none is ever without one.
    await Promise.all(shards.map((shard) => noteRebuild(session, shard, change)));
    const rebuilt = await rebuild(host, shards.length);
    host.print(json ? toJson({ dryRun, shards: rebuilt }) : printRebuilt(rebuilt));
    return rebuilt.some(isIncomplete) ? EXIT.found : EXIT.ok;
  });
}

async function noteRebuild({ pools }: Session, shard: Shard, change: Change): Promise<void> {
  const map = pools.slotMaps.current();
  const slots = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
  const slot = slots.find((one) => shardOfSlot(map, one) === shard.id) ?? 0;
  const { actor, reason } = change;
  const action = `${OPERATOR}.rebuild_projections`;
  const after = { projections: 'cleared, made anew from the events of the shard' };
  await insertAuditEntries(shard, [{ actor, action, slot, reason, before: {}, after }]);
}

async function rebuild(host: CliHost, shards: number): Promise<readonly Rebuilt[]> {
  if (!existsSync(PROJECTOR)) throw new CliError('the projector is not built: npm run build');
  const projector = [...PROCESS_NODE_ARGUMENTS, fileURLToPath(PROJECTOR)];
  const child = spawn(process.execPath, [...projector, 'rebuild'], {
    env: { ...withRunningSystem(host.environment, host.directory), SURETY_LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const rebuilt: Rebuilt[] = [];
  const errors: string[] = [];
  const leftOut: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const done = rebuiltOf(line);
    const missing = leftOutOf(line);
    if (done) rebuilt.push(done);
    else if (missing !== undefined) leftOut.push(missing);
    else if (line.includes('"level":"error"')) errors.push(line);
  });
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const progress = new Progress(host, 'projections rebuilt, shards');
  const timer = setInterval(() => {
    progress.at(rebuilt.length, shards);
  }, PROGRESS_INTERVAL_MS);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (rebuilt.length === shards && (code === 0 || rebuilt.some(isIncomplete))) {
      tellLeftOut(host, rebuilt, leftOut);
      return rebuilt;
    }
    for (const line of errors.slice(-ERROR_LINES_MAX)) host.printError(line);
    throw new CliError(
      `${rebuilt.length} of ${shards} shards were rebuilt (the projector ended with ${code ?? 'a signal'}): run it again`,
    );
  } finally {
    clearInterval(timer);
    progress.end();
  }
}

function tellLeftOut(host: CliHost, rebuilt: readonly Rebuilt[], leftOut: readonly string[]): void {
  const told = leftOut.slice(0, ERROR_LINES_MAX);
  for (const line of told) host.printError(line);
  const more = rebuilt.reduce((sum, { unreadable }) => sum + unreadable, 0) - told.length;
  if (more > 0) host.printError(`and ${more} more events cannot be read`);
}

/** A line of the projector's log, where it tells of an event that was left out, in words. */
function leftOutOf(line: string): string | undefined {
  if (!line.includes('an event cannot be read')) return undefined;
  try {
    const { shard, event, fault } = JSON.parse(line) as Record<string, unknown>;
    return `shard ${String(shard)}: the event ${String(event)} cannot be read: ${String(fault)}`;
  } catch {
    return undefined;
  }
}

/** A line of the projector's log, where it tells of a shard that is done. */
function rebuiltOf(line: string): Rebuilt | undefined {
  if (!line.includes('projections rebuilt')) return undefined;
  try {
    const { shard, events, rows, unreadable } = JSON.parse(line) as Rebuilt;
    return { shard, events, rows, unreadable };
  } catch {
    return undefined;
  }
}

function isIncomplete({ unreadable }: Rebuilt): boolean {
  return unreadable > 0;
}

function printRebuilt(rebuilt: readonly Rebuilt[]): string {
  const headings = ['shard', 'events', 'rows written'];
  const rows = rebuilt.map(({ shard, events, rows: written }) => [String(shard), events, written]);
  if (!rebuilt.some(isIncomplete)) return table(headings, rows);
  const counted = rows.map((row, at) => [...row, rebuilt[at]?.unreadable]);
  return table([...headings, 'unreadable'], counted);
}
