import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { listAuditEntries } from '@surety/db';
import type { AuditFilter, StoredAuditEntry } from '@surety/db';
import type { ShardId } from '@surety/domain';
import { parseDuration } from '@surety/runtime';
import { assertAccountId } from './account-id.js';
import { OPERATOR } from './change.js';
import { dayOfDate } from './external/calendar.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption, limitOption } from './options.js';
import { EXIT, toJson } from './output.js';
import { withShards } from './session.js';
import { table } from './table.js';
import { transferIdOf } from './transfer-id.js';

/** An age is no time-out: a review looks back over months. */
const AGE_MAX_MS = 100 * 365 * 24 * 3_600_000;
const DAYS = /^(?<days>\d{1,5})d$/;
const TIME = /^(?<date>\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/;
const BEFORE = /^(?<createdAt>[^/]+)\/(?<shard>\d{1,4})\/(?<id>\d{1,19})$/;
/** Above every id: lines of the same time on an earlier shard come after those of a later one. */
const ABOVE_ALL_IDS = 2n ** 63n - 1n;

/** A line in the order of all shards: by time, then by shard, then by its id there. */
interface Position {
  readonly createdAt: string;
  readonly shard: ShardId;
  readonly id: bigint;
}

type Line = StoredAuditEntry & Pick<Position, 'shard'>;

interface AuditOptions {
  readonly json: boolean;
  readonly limit: number;
  readonly transfer?: string;
  readonly account?: string;
  readonly operator?: string;
  readonly since?: string;
  readonly before?: Position;
}

export function registerAudit(program: Command, { host, exit }: CommandContext): void {
  const audit = program.command('audit').description('who changed what, and why');
  const list = audit
    .command('list')
    .description('what operators and the reconciler have changed, newest first')
    .option('--transfer <id>', 'only lines of this transfer')
    .option('--account <id>', 'only lines of this account')
    .option('--operator <name>', 'only what this operator did')
    .option(
      '--since <time>',
      'only from then on: 2026-01-31T10:00:00Z, or an age such as 2h or 30d',
      since,
    )
    .option('--before <line>', 'the page after this line, as the page before it says', position)
    .addOption(limitOption('in all', 50))
    .addOption(jsonOption())
    .action(async (options: AuditOptions) => {
      exit(await runAuditList(host, options));
    });
  explained(list, {
    notes: [
      'A line is written in the transaction of what it tells of: there is no change without its line ' +
        'and no line without its change. `before` is what was seen under lock, `after` what was ' +
        'written. Actors are `operator:NAME`, `reconciler` or `client:TENANT`. Lines are only ever ' +
        'appended.',
      'Where there are more lines than --limit, the last line of the output says how to go on.',
    ],
    json: [
      '{ entries: [{ shard, id, createdAt, actor, action, transferId, accountId, slot, reason,',
      '    before, after }],',
      '  next: the value for --before, or null after the last page }',
    ],
    examples: [
      ['surety audit list --since 24h', 'what was changed since yesterday'],
      ['surety audit list --account ACC001', 'who froze it, and why'],
      [
        'surety audit list --operator ann --json | jq .entries[].reason',
        'the reasons that ann gave',
      ],
    ],
  });
}

function isTime(text: string): boolean {
  const { date } = TIME.exec(text)?.groups ?? {};
  return date !== undefined && dayOfDate(date) !== undefined;
}

function since(text: string): string {
  if (isTime(text)) return text;
  const { days } = DAYS.exec(text)?.groups ?? {};
  const ageMs = parseDuration(days === undefined ? text : `${Number(days) * 24}h`, AGE_MAX_MS);
  if (ageMs !== undefined) return new Date(Date.now() - ageMs).toISOString();
  throw new InvalidArgumentError(
    'It is a time in UTC (2026-01-31T10:00:00Z) or an age (30m, 2h, 30d).',
  );
}

function position(text: string): Position {
  const { createdAt = '', shard, id = '0' } = BEFORE.exec(text)?.groups ?? {};
  if (isTime(createdAt)) return { createdAt, shard: Number(shard), id: BigInt(id) };
  throw new InvalidArgumentError('It is TIME/SHARD/ID, as the page before it says.');
}

async function runAuditList(host: CliHost, options: AuditOptions): Promise<number> {
  const { json, limit, before } = options;
  const filter = filterOf(options);
  return withShards(host, async ({ pools }) => {
    // One more than asked for tells whether there is a next page.
    const perShard = await Promise.all(
      pools.shards.map(async (shard) => {
        const page = { ...filter, before: before && onShard(before, shard.id) };
        const entries = await listAuditEntries(shard, page, limit + 1);
        return entries.map((entry): Line => ({ shard: shard.id, ...entry }));
      }),
    );
    const found = perShard.flat().sort(newestFirst);
    const entries = found.slice(0, limit);
    const last = entries.at(-1);
    const next = last && found.length > limit ? `${last.createdAt}/${last.shard}/${last.id}` : null;
    host.print(json ? toJson({ entries, next }) : printAudit(entries, next));
    return EXIT.ok;
  });
}

function filterOf({ transfer, account, operator, since: from }: AuditOptions): AuditFilter {
  if (account !== undefined) assertAccountId(account);
  return {
    transferId: transfer === undefined ? undefined : transferIdOf(transfer),
    accountId: account,
    actor: operator === undefined ? undefined : `${OPERATOR}:${operator}`,
    since: from,
  };
}

/** Where a page goes on on one shard: lines of the same time come by shard, the highest first. */
function onShard({ createdAt, shard, id }: Position, on: ShardId): AuditFilter['before'] {
  if (on === shard) return { createdAt, id };
  return { createdAt, id: on < shard ? ABOVE_ALL_IDS : 0n };
}

function newestFirst(a: Line, b: Line): number {
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt ? -1 : 1;
  if (a.shard !== b.shard) return b.shard - a.shard;
  return a.id > b.id ? -1 : 1;
}

function printAudit(entries: readonly Line[], next: string | null): string {
  if (entries.length === 0) return 'no lines';
  const rows = entries.map(({ createdAt, actor, action, transferId, accountId, ...entry }) => [
    ...[createdAt, actor, action, transferId ?? accountId ?? `slot ${entry.slot}`, entry.reason],
    ...[JSON.stringify(entry.before), JSON.stringify(entry.after)],
  ]);
  const lines = [table(['time', 'actor', 'action', 'on', 'reason', 'before', 'after'], rows)];
  if (next !== null) lines.push('', `older lines: surety audit list --before ${next}`);
  return lines.join('\n');
}
