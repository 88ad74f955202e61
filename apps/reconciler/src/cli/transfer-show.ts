import type { Command } from 'commander';
import { readEnvelope } from '@surety/contracts';
import { slotOfAccount, slotOfTransferId } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { findHold, findTransfer, listLegs, readDecision, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import { errorLine } from '@surety/runtime';
import type { DecisionRow, EventRow, TransferRow } from '@surety/saga';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption } from './options.js';
import { CliError, EXIT, toJson } from './output.js';
import { printStory } from './print-story.js';
import type { StoryEvent, StoryLeg, TransferStory } from './print-story.js';
import { withShards } from './session.js';
import type { Session } from './session.js';
import { transferIdOf } from './transfer-id.js';

export function registerTransferShow(transfer: Command, { host, exit }: CommandContext): void {
  const show = transfer
    .command('show')
    .description('the whole life of a transfer, from both shards')
    .argument('<id>', 'the transactionId of the 202 answer')
    .addOption(jsonOption())
    .action(async (id: string, options: { json: boolean }) => {
      exit(await runTransferShow(host, id, options));
    });
  explained(show, {
    notes: [
      'Events come in the order of their times; +ms counts from the request. Each shard has its ' +
        "own clock. Where the destination's shard cannot be asked, its part is missing and said so.",
    ],
    json: [
      '{ transfer, sourceShard, destinationShard, decision, hold,',
      '  events: [{ shard, slot, envelope }],',
      '  legs: [{ shard, slot, step, account, minor, currency, entrySeq, balanceAfter }],',
      '  gaps: [why a part is missing] }',
    ],
    examples: [
      ['surety transfer show 01890a5d-ac96-774b-bcce-b302099a8057', 'what happened to it'],
      [
        'surety transfer show 01890a5d-ac96-774b-bcce-b302099a8057 --json | jq .events',
        'its events as they are stored',
      ],
    ],
  });
}

/** The whole life of one transfer. Where the destination's shard is away, that part is missing. */
async function runTransferShow(
  host: CliHost,
  text: string,
  options: { readonly json: boolean },
): Promise<number> {
  const id = transferIdOf(text);
  return withShards(host, async (session) => {
    const source = session.shardOf(slotOfTransferId(id));
    const transfer = await findTransfer(source, id);
    if (!transfer) throw new CliError(`there is no transfer ${id}`, EXIT.found);
    const story = await tell(session, source, transfer);
    host.print(options.json ? toJson(story) : printStory(story, session.currencies));
    return story.gaps.length > 0 ? EXIT.failed : EXIT.ok;
  });
}

interface Chapter {
  readonly events: readonly StoryEvent[];
  readonly legs: readonly StoryLeg[];
  readonly decision: DecisionRow | undefined;
}

async function tell(
  session: Session,
  source: Shard,
  transfer: TransferRow,
): Promise<TransferStory> {
  const isFunding = transfer.kind === 'funding';
  const destination = isFunding ? source : session.shardOf(slotOfAccount(transfer.destination));
  const chapters = [await chapterOf(source, transfer.id)];
  const gaps: string[] = [];
  if (destination.id !== source.id) {
    try {
      chapters.push(await chapterOf(destination, transfer.id));
    } catch (error) {
      gaps.push(`shard ${destination.id} (destination) cannot be asked: ${errorLine(error)}`);
    }
  }
  const events = chapters.flatMap((chapter) => chapter.events);
  return {
    transfer,
    sourceShard: source.id,
    destinationShard: destination.id,
    events: [...events].sort(inTime),
    decision: chapters.map((chapter) => chapter.decision).find((one) => one !== undefined),
    hold: await findHold(source, transfer.id),
    legs: chapters.flatMap((chapter) => chapter.legs).sort((a, b) => a.step - b.step),
    gaps,
  };
}

async function chapterOf(shard: Shard, id: TransferId): Promise<Chapter> {
  const [events, legs, decision] = await Promise.all([
    readTimeline(shard, id),
    listLegs(shard, id),
    readDecision(shard, id),
  ]);
  return {
    events: events.map((event) => storyEvent(shard, event)),
    legs: legs.map((leg) => ({ ...leg, shard: shard.id })),
    decision,
  };
}

function storyEvent(shard: Shard, { slot, envelope }: EventRow): StoryEvent {
  return { shard: shard.id, slot, envelope: readEnvelope(envelope) };
}

/** By time; steps decide where the clocks of two shards, or one breath, give the same. */
function inTime(a: StoryEvent, b: StoryEvent): number {
  const { occurredAt } = a.envelope;
  if (occurredAt === b.envelope.occurredAt) return a.envelope.step - b.envelope.step;
  return occurredAt < b.envelope.occurredAt ? -1 : 1;
}
