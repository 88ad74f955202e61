import type { Command } from 'commander';
import { findDeadLetters } from '@surety/db';
import type { ShardLetter } from './dlq-list.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption } from './options.js';
import { CliError, EXIT, toJson } from './output.js';
import { withShards } from './session.js';
import type { Session } from './session.js';

const LETTER = /^[0-9a-f]{4,64}$/;

export function registerDlqShow(dlq: Command, { host, exit }: CommandContext): void {
  const show = dlq
    .command('show')
    .description('one dead letter: error, origin, what became of it, the message itself')
    .argument('<letter>', 'its name, or the first digits of it')
    .addOption(jsonOption())
    .action(async (letter: string, { json }: { json: boolean }) => {
      exit(await runDlqShow(host, letter, json));
    });
  explained(show, {
    notes: ['The payload is printed as it came: an array of events, or what was there instead.'],
    json: ['the document of `surety dlq list --json`, for one letter'],
    examples: [
      ['surety dlq show 3f1c90aa21b7', 'why it was given up'],
      ['surety dlq show 3f1c90aa21b7 --json | jq -r .payload | jq .', 'the events in it'],
    ],
  });
}

async function runDlqShow(host: CliHost, text: string, json: boolean): Promise<number> {
  return withShards(host, async (session) => {
    const letter = await findLetter(session, text);
    host.print(json ? toJson(letter) : printLetter(letter));
    return EXIT.ok;
  });
}

/** @throws CliError where no letter, or more than one, begins with these digits. */
export async function findLetter({ pools }: Session, text: string): Promise<ShardLetter> {
  const prefix = text.toLowerCase();
  if (!LETTER.test(prefix)) {
    throw new CliError(`${JSON.stringify(text)} is not the name of a letter: 4 to 64 hex digits`);
  }
  const perShard = await Promise.all(
    pools.shards.map(async (shard) => {
      const letters = await findDeadLetters(shard, prefix);
      return letters.map((letter): ShardLetter => ({ ...letter, shard: shard.id }));
    }),
  );
  const [letter, another] = perShard.flat();
  if (another) {
    throw new CliError(`more than one dead letter begins with ${prefix}: give more digits`);
  }
  if (letter) return letter;
  throw new CliError(`there is no dead letter ${prefix}`, EXIT.found);
}

function printLetter(letter: ShardLetter): string {
  const { handledBy, handledAt, handledReason } = letter;
  const handled = handledBy ? ` by ${handledBy} at ${handledAt ?? ''}: ${handledReason ?? ''}` : '';
  return [
    `letter       ${letter.letter}`,
    `state        ${letter.state}${handled}`,
    `given up by  ${letter.consumer}, ${letter.occurrences} times, last ${letter.lastSeenAt}`,
    `origin       ${letter.topic}, partition ${letter.partition}, offset ${letter.offset}`,
    `event        ${letter.eventId ?? 'not known'}`,
    `shard        ${letter.shard}${letter.slot === null ? '' : `, slot ${letter.slot}`}`,
    `first seen   ${letter.createdAt}`,
    'error',
    ...letter.error.split('\n').map((line) => `  ${line}`),
    'payload',
    `  ${letter.payload}`,
  ].join('\n');
}
