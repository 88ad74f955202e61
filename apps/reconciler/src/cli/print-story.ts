import type { Envelope } from '@surety/contracts';
import type { CurrencyTable, ShardId } from '@surety/domain';
import type { DecisionRow, HoldRow, TransferRow } from '@surety/saga';
import { amountText } from './amount-text.js';
import { table } from './table.js';

export interface StoryEvent {
  readonly shard: ShardId;
  readonly slot: number;
  readonly envelope: Envelope;
}

export interface StoryLeg {
  readonly shard: ShardId;
  readonly slot: number;
  readonly step: number;
  readonly account: string;
  readonly minor: bigint;
  readonly currency: string;
  readonly entrySeq: bigint | null;
  readonly balanceAfter: bigint | null;
}

/** Everything that both shards know about one transfer. */
export interface TransferStory {
  readonly transfer: TransferRow;
  readonly sourceShard: ShardId;
  readonly destinationShard: ShardId;
  /** By time, both shards together. */
  readonly events: readonly StoryEvent[];
  readonly decision: DecisionRow | undefined;
  readonly hold: HoldRow | undefined;
  readonly legs: readonly StoryLeg[];
  /** Why a shard could not be asked: what follows from it is missing above. */
  readonly gaps: readonly string[];
}

export function printStory(story: TransferStory, currencies: CurrencyTable): string {
  const amount = (minor: bigint, currency: string): string =>
    amountText(minor, currency, currencies);
  const { transfer, hold, decision } = story;
  const lines = [
    `transfer     ${transfer.id} (${transfer.kind})`,
    `state        ${transfer.state}${transfer.reason ? ` (${transfer.reason})` : ''}`,
    `amount       ${amount(transfer.amountMinor, transfer.currency)}`,
    `source       ${transfer.source} (shard ${story.sourceShard}, slot ${transfer.slot})`,
    `destination  ${transfer.destination} (shard ${story.destinationShard})`,
    `tenant       ${transfer.tenant}`,
    `requested    ${transfer.requestedAt}`,
    `decision     ${decisionText(decision)}`,
    `hold         ${
      hold ? `${amount(hold.amountMinor, transfer.currency)}, expires ${hold.expiresAt}` : 'none'
    }`,
    ...story.gaps.map((gap) => `missing      ${gap}`),
    '',
    timeline(story, amount),
  ];
  if (story.legs.length > 0) lines.push('', legs(story, amount));
  return lines.join('\n');
}

function decisionText(decision: DecisionRow | undefined): string {
  if (!decision) return 'none';
  const { outcome } = decision.decision;
  return 'reason' in decision.decision ? `${outcome} (${decision.decision.reason})` : outcome;
}

type AmountText = (minor: bigint, currency: string) => string;

function timeline({ events }: TransferStory, amount: AmountText): string {
  const first = events[0]?.envelope.occurredAt;
  return table(
    ['time', '+ms', 'shard', 'slot', 'step', 'event', 'actor', 'account after'],
    events.map(({ shard, slot, envelope }) => [
      envelope.occurredAt,
      first ? Math.round(millisecondsBetween(first, envelope.occurredAt)) : 0,
      shard,
      slot,
      envelope.step,
      envelope.data.reason ? `${envelope.type} (${envelope.data.reason})` : envelope.type,
      envelope.actor,
      accountsText(envelope, amount),
    ]),
  );
}

function accountsText({ accounts, data }: Envelope, amount: AmountText): string {
  return accounts
    .map(({ id, balance, held, version }) => {
      const sums = `balance ${amount(BigInt(balance), data.currency)}, held ${amount(BigInt(held), data.currency)}`;
      return `${id}: ${sums}, version ${version}`;
    })
    .join('; ');
}

/** Two shards' clocks: the difference of their times may be negative. */
function millisecondsBetween(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

function legs(story: TransferStory, amount: AmountText): string {
  return table(
    ['step', 'shard', 'slot', 'account', 'leg', 'entry', 'balance after'],
    story.legs.map((leg) => [
      leg.step,
      leg.shard,
      leg.slot,
      leg.account,
      amount(leg.minor, leg.currency),
      leg.entrySeq,
      leg.balanceAfter === null ? null : amount(leg.balanceAfter, leg.currency),
    ]),
  );
}
