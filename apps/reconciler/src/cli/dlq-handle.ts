import type { Command } from 'commander';
import type { Shard } from '@surety/db';
import { discardDeadLetter, replayDeadLetter } from '@surety/saga';
import { beginChange, changing } from './change.js';
import type { Change, ChangeOptions } from './change.js';
import { LETTER_SHOWN } from './dlq-list.js';
import type { ShardLetter } from './dlq-list.js';
import { findLetter } from './dlq-show.js';
import { explained } from './help.js';
import type { CommandHelp } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { CliError, EXIT, toJson } from './output.js';
import { withShards } from './session.js';
import type { Session } from './session.js';

type Verb = 'replay' | 'discard';

const DONE: Readonly<Record<Verb, string>> = { replay: 'replayed', discard: 'discarded' };

const HELP: Pick<CommandHelp, 'json' | 'exitCodes'> = {
  json: ['{ dryRun, letters: [{ letter, shard, before, after, refused: null or why }] }'],
  exitCodes: {
    '0': 'done with all of them (in a dry run: would be)',
    '1': 'at least one was refused, or there is no such letter',
    '2': 'the command could not run, or was called wrongly',
  },
};

export function registerDlqHandling(dlq: Command, context: CommandContext): void {
  const replay = dlq
    .command('replay')
    .description('sends open letters once more: the same bytes to the same place');
  register(replay, 'replay', context);
  explained(replay, {
    ...HELP,
    notes: [
      'For a letter whose cause is gone: a defect that was mended, a row that was repaired. It goes ' +
        'through the outbox of its shard, in one transaction with its mark and the line in the audit ' +
        'log. Every step takes effect once, so what had its effect meanwhile changes nothing. If it ' +
        'is given up again, the letter is open again.',
    ],
    examples: [
      ['surety dlq replay 3f1c90aa21b7 --dry-run', 'whether it can be sent'],
      ['surety dlq replay 3f1c90aa21b7 --reason "fixed in 0.2.1"', 'asks, then sends it'],
    ],
  });
  const discard = dlq.command('discard').description('puts open letters aside for good');
  register(discard, 'discard', context);
  explained(discard, {
    ...HELP,
    notes: [
      'For a letter that never was a message of ours, or whose transfer was ended in another way. The ' +
        'letter is kept, with who put it aside, when and why; it is not open any more.',
    ],
    examples: [
      [
        'surety dlq discard 3f1c90aa21b7 8810aa --reason "test message"',
        'asks, then puts both aside',
      ],
    ],
  });
}

function register(command: Command, verb: Verb, { host, exit }: CommandContext): void {
  const letters = command.argument('<letters...>', 'their names, or the first digits of each');
  changing(letters).action(async (texts: string[], options: ChangeOptions) => {
    exit(await runHandling(host, { verb, texts }, options));
  });
}

interface Handling {
  readonly letter: string;
  readonly shard: number;
  readonly before: string;
  readonly after: string;
  readonly refused: string | null;
}

async function runHandling(
  host: CliHost,
  { verb, texts }: { readonly verb: Verb; readonly texts: readonly string[] },
  options: ChangeOptions,
): Promise<number> {
  const change = await beginChange(host, options);
  return withShards(host, async (session) => {
    const letters = new Map<string, ShardLetter>();
    for (const text of texts) {
      const letter = await findLetter(session, text);
      letters.set(letter.letter, letter);
    }
    const names = Array.from(letters.keys(), (name) => name.slice(0, LETTER_SHOWN));
    await change.confirm(`${verb} ${names.join(', ')}?`);
    const handled: Handling[] = [];
    for (const letter of letters.values()) {
      handled.push(await handle(session, { letter, verb, change }));
    }
    const { dryRun } = change;
    host.print(change.json ? toJson({ dryRun, letters: handled }) : textOf(handled, dryRun));
    return handled.some(({ refused }) => refused !== null) ? EXIT.found : EXIT.ok;
  });
}

async function handle(
  { pools }: Session,
  { letter, verb, change }: { letter: ShardLetter; verb: Verb; change: Change },
): Promise<Handling> {
  const { store } = pools.shards[letter.shard] as Shard;
  const known = { letter: letter.letter, shard: letter.shard, before: letter.state };
  if (letter.state !== 'open') {
    return { ...known, after: letter.state, refused: `it was ${letter.state} already` };
  }
  const { actor, reason, dryRun } = change;
  const by = { actor, reason };
  try {
    if (!dryRun && verb === 'discard') await discardDeadLetter(store, letter, by);
    if (!dryRun && verb === 'replay') await replayDeadLetter(store, letter, by);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CliError(`${letter.letter}: ${error.message}: nothing was changed`, EXIT.found);
  }
  return { ...known, after: DONE[verb], refused: null };
}

function textOf(handled: readonly Handling[], dryRun: boolean): string {
  return handled
    .map(({ letter, after, refused }) => {
      const name = letter.slice(0, LETTER_SHOWN);
      if (refused !== null) return `letter ${name} is left alone: ${refused}`;
      return `letter ${name} ${dryRun ? 'would be' : 'is'} ${after}`;
    })
    .join('\n');
}
