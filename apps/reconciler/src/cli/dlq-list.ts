import { Option } from 'commander';
import type { Command } from 'commander';
import { listDeadLetters } from '@surety/db';
import type { StoredDeadLetter } from '@surety/db';
import type { ShardId } from '@surety/domain';
import type { DeadLetterState } from '@surety/saga';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption, limitOption } from './options.js';
import { EXIT, toJson } from './output.js';
import { withShards } from './session.js';
import { table } from './table.js';

const STATES = ['open', 'replayed', 'discarded', 'all'] as const;
/** Enough of a letter's name to tell it from others; commands take it as well as the whole. */
export const LETTER_SHOWN = 12;
const ERROR_SHOWN_MAX = 70;

interface ListOptions {
  readonly json: boolean;
  readonly limit: number;
  readonly state: (typeof STATES)[number];
}

export type ShardLetter = StoredDeadLetter & { readonly shard: ShardId };

export function registerDlqList(dlq: Command, { host, exit }: CommandContext): void {
  const list = dlq
    .command('list')
    .description('dead letters of all shards, newest first')
    .addOption(new Option('--state <state>', 'what became of them').choices(STATES).default('open'))
    .addOption(limitOption('per shard', 100))
    .addOption(jsonOption())
    .action(async (options: ListOptions) => {
      exit(await runDlqList(host, options));
    });
  explained(list, {
    notes: [
      'A message comes here when it cannot be processed for its own sake: it cannot be read, or its ' +
        'step meets a row that contradicts it. Its partition goes on. A failure of the environment ' +
        '(a shard, Kafka) never makes a dead letter: such a message is tried again until it works.',
      'The same message is one letter however often it comes. A letter is kept, whatever becomes of it.',
    ],
    json: [
      '[{ shard, letter, state, consumer, topic, partition, offset, slot, eventId, error, payload,',
      '   occurrences, createdAt, lastSeenAt, handledBy, handledReason, handledAt }]',
    ],
    exitCodes: {
      '0': 'listed, and no letter is open',
      '1': 'listed, and at least one letter is open',
      '2': 'the command could not run, or was called wrongly',
    },
    examples: [
      ['surety dlq list', 'what waits for a person'],
      ['surety dlq list --state discarded', 'what was put aside, by whom and why'],
    ],
  });
}

async function runDlqList(host: CliHost, { json, limit, state }: ListOptions): Promise<number> {
  const wanted: DeadLetterState | undefined = state === 'all' ? undefined : state;
  return withShards(host, async ({ pools }) => {
    const perShard = await Promise.all(
      pools.shards.map(async (shard) => {
        const letters = await listDeadLetters(shard, limit, wanted);
        return letters.map((letter): ShardLetter => ({ ...letter, shard: shard.id }));
      }),
    );
    const letters = perShard.flat().sort((a, b) => (a.createdAt > b.createdAt ? -1 : 1));
    host.print(json ? toJson(letters) : printLetters(letters, state));
    return letters.some((letter) => letter.state === 'open') ? EXIT.found : EXIT.ok;
  });
}

function printLetters(letters: readonly ShardLetter[], state: string): string {
  if (letters.length === 0) return `no ${state === 'all' ? '' : `${state} `}dead letters`;
  const rows = letters.map((one) => [
    ...[one.letter.slice(0, LETTER_SHOWN), String(one.shard), one.state, one.consumer],
    ...[`${one.topic}/${one.partition}@${one.offset}`, one.eventId, one.occurrences],
    ...[one.lastSeenAt, shortError(one.error)],
  ]);
  const headings = [
    'letter',
    'shard',
    'state',
    'by',
    'origin',
    'event',
    'times',
    'last seen',
    'error',
  ];
  return `${table(headings, rows)}\n\n${letters.length} dead letters`;
}

function shortError(error: string): string {
  const [line = ''] = error.split('\n');
  return line.length > ERROR_SHOWN_MAX ? `${line.slice(0, ERROR_SHOWN_MAX - 1)}…` : line;
}
