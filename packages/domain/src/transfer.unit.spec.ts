import { describe, expect, it } from '@jest/globals';
import { aTransferId, anAccount, eur } from '@surety/testing';
import { InvariantViolation } from './ledger.js';
import type { Account } from './account.js';
import { STEP } from './steps.js';
import { decideDestination, decideSource, decisionOf, evolve, isEnded } from './transfer.js';
import type {
  Decision,
  DestinationCommand,
  Outcome,
  SourceCommand,
  Transfer,
  TransferEvent,
  TransferStatus,
  TransferTerms,
} from './transfer.js';

const terms: TransferTerms = {
  id: aTransferId('A', 1),
  source: 'A',
  destination: 'B',
  amount: eur(30),
};

const requested: Transfer = { status: 'requested', terms };
const held: Transfer = { status: 'held', terms };
const committed: Transfer = { status: 'committed', terms };
const rejected: Transfer = { status: 'rejected', terms, reason: 'insufficient_funds' };
const cancelled: Transfer = { status: 'cancelled', terms, reason: 'hold_expired' };

const credited: Decision = { outcome: 'credited' };
const refused: Decision = { outcome: 'refused', reason: 'destination_closed' };
const voided: Decision = { outcome: 'voided', reason: 'hold_expired' };

const source = anAccount('A', { balance: 100n, held: 30n, version: 2n, entrySeq: 1n });
const poor = anAccount('A', { balance: 29n });
const destination = anAccount('B', { balance: 5n, version: 1n, entrySeq: 1n });

/** An outcome as one line: event@step (reason), balance/held of the changed account, number of legs. */
function told(outcome: Outcome): string {
  if (outcome.kind === 'already_applied') return 'already applied';
  if (outcome.kind === 'alarm') return `alarm ${outcome.alarm}`;
  const { event, account, legs } = outcome;
  const reason = 'reason' in event ? ` (${event.reason})` : '';
  const change = account ? `, ${account.id} ${account.balance}/${account.held}` : '';
  return `${event.type}@${event.step}${reason}${change}, ${legs.length} legs`;
}

function holding(account: Account | undefined): SourceCommand {
  return { type: 'hold', account };
}

function settling(decision: Decision, account: Account | undefined = source): SourceCommand {
  return { type: 'settle', decision, account };
}

const expiring: SourceCommand = { type: 'expire' };
const nobody = { type: 'settle', account: undefined } as const;

describe('a command at the source', () => {
  const frozen = { ...source, status: 'frozen', debitsBlocked: true } as const;
  it.each<[string, Transfer | undefined, SourceCommand, string]>([
    ['hold without a transfer', undefined, holding(source), 'alarm transfer_missing'],
    ['expire without a transfer', undefined, expiring, 'alarm transfer_missing'],
    ['commit without a transfer', undefined, settling(credited), 'alarm transfer_missing'],
    ['release without a transfer', undefined, settling(refused), 'alarm transfer_missing'],
    ['release without a transfer', undefined, settling(voided), 'alarm transfer_missing'],

    ['hold', requested, holding(source), 'held@20, A 100/60, 0 legs'],
    ['hold beyond available', requested, holding(poor), 'rejected@20 (insufficient_funds), 0 legs'],
    ['hold of nobody', requested, holding(undefined), 'rejected@20 (source_not_found), 0 legs'],
    ['hold of a frozen one', requested, holding(frozen), 'rejected@20 (source_frozen), 0 legs'],
    ['expire', requested, expiring, 'rejected@20 (not_processed), 0 legs'],
    ['commit before the hold', requested, settling(credited), 'alarm decision_before_hold'],
    [
      'release before the hold',
      requested,
      settling(refused),
      'rejected@40 (destination_closed), 0 legs',
    ],
    ['cancel before the hold', requested, settling(voided), 'cancelled@40 (hold_expired), 0 legs'],

    ['a second hold', held, holding(source), 'already applied'],
    ['expire after the hold', held, expiring, 'already applied'],
    ['commit', held, settling(credited), 'committed@40, A 70/0, 2 legs'],
    ['commit of a frozen one', held, settling(credited, frozen), 'committed@40, A 70/0, 2 legs'],
    [
      'release of a refusal',
      held,
      settling(refused),
      'rejected@40 (destination_closed), A 100/0, 0 legs',
    ],
    ['release of a void', held, settling(voided), 'cancelled@40 (hold_expired), A 100/0, 0 legs'],
    [
      'release of a frozen one',
      held,
      settling(voided, frozen),
      'cancelled@40 (hold_expired), A 100/0, 0 legs',
    ],
    ['commit of nobody', held, { ...nobody, decision: credited }, 'alarm held_account_missing'],
    ['release of nobody', held, { ...nobody, decision: refused }, 'alarm held_account_missing'],
    ['cancel of nobody', held, { ...nobody, decision: voided }, 'alarm held_account_missing'],

    ['hold after the commit', committed, holding(source), 'already applied'],
    ['expire after the commit', committed, expiring, 'already applied'],
    ['a second commit', committed, settling(credited), 'already applied'],
    ['refusal after the commit', committed, settling(refused), 'alarm committed_but_not_credited'],
    ['void after the commit', committed, settling(voided), 'alarm committed_but_not_credited'],

    ['hold after the rejection', rejected, holding(source), 'already applied'],
    ['expire after the rejection', rejected, expiring, 'already applied'],
    [
      'credit of a rejected one',
      rejected,
      settling(credited),
      'alarm credited_but_not_committable',
    ],
    ['a second release', rejected, settling(refused), 'already applied'],
    ['void of a rejected one', rejected, settling(voided), 'already applied'],

    ['hold after the cancel', cancelled, holding(source), 'already applied'],
    ['expire after the cancel', cancelled, expiring, 'already applied'],
    [
      'credit of a cancelled one',
      cancelled,
      settling(credited),
      'alarm credited_but_not_committable',
    ],
    ['refusal of a cancelled one', cancelled, settling(refused), 'already applied'],
    ['a second cancel', cancelled, settling(voided), 'already applied'],
  ])('%s', (_, transfer, command, expected) => {
    expect(told(decideSource(transfer, command))).toBe(expected);
  });

  it('commits with one leg from the source and one to transit', () => {
    const outcome = decideSource(held, settling(credited));
    expect(outcome).toMatchObject({
      kind: 'accepted',
      account: { balance: 70n, held: 0n, version: 3n, entrySeq: 2n },
      legs: [
        { account: 'A', minor: -30n, step: STEP.end, entrySeq: 2n, balanceAfter: 70n },
        { account: `~transit:${source.slot}:EUR`, minor: 30n, entrySeq: null },
      ],
    });
  });

  it('leaves its arguments as they were', () => {
    const before = structuredClone({ held, source });
    decideSource(held, settling(credited));
    expect({ held, source }).toEqual(before);
  });
});

describe('a command at the destination', () => {
  const credit = (account: Account | undefined): DestinationCommand => ({
    type: 'credit',
    account,
  });
  const voiding: DestinationCommand = { type: 'void', reason: 'hold_expired' };
  const closed = { ...destination, status: 'closed' } as const;

  it.each<[string, Decision | undefined, DestinationCommand, string]>([
    ['credit', undefined, credit(destination), 'credited@30, B 35/0, 2 legs'],
    [
      'credit of a closed one',
      undefined,
      credit(closed),
      'refused@30 (destination_closed), 0 legs',
    ],
    [
      'credit of nobody',
      undefined,
      credit(undefined),
      'refused@30 (destination_not_found), 0 legs',
    ],
    ['void', undefined, voiding, 'voided@30 (hold_expired), 0 legs'],
    ['a second credit', credited, credit(destination), 'already applied'],
    ['void after the credit', credited, voiding, 'already applied'],
    ['credit after the refusal', refused, credit(destination), 'already applied'],
    ['void after the refusal', refused, voiding, 'already applied'],
    ['credit after the void', voided, credit(destination), 'already applied'],
    ['a second void', voided, voiding, 'already applied'],
  ])('%s', (_, decision, command, expected) => {
    expect(told(decideDestination(terms, decision, command))).toBe(expected);
  });

  it('credits with one leg to the destination and one from transit', () => {
    expect(decideDestination(terms, undefined, credit(destination))).toMatchObject({
      legs: [
        { account: 'B', minor: 30n, step: STEP.decide, entrySeq: 2n, balanceAfter: 35n },
        { account: `~transit:${destination.slot}:EUR`, minor: -30n, entrySeq: null },
      ],
    });
  });
});

describe('folding a stream', () => {
  const events = {
    requested: { type: 'requested', step: 10 },
    held: { type: 'held', step: 20 },
    tooPoor: { type: 'rejected', step: 20, reason: 'insufficient_funds' },
    credited: { type: 'credited', step: 30 },
    refused: { type: 'refused', step: 30, reason: 'destination_closed' },
    voided: { type: 'voided', step: 30, reason: 'hold_expired' },
    committed: { type: 'committed', step: 40 },
    rejected: { type: 'rejected', step: 40, reason: 'destination_closed' },
    cancelled: { type: 'cancelled', step: 40, reason: 'hold_expired' },
  } as const satisfies Record<string, TransferEvent>;

  it.each<[TransferEvent[], TransferStatus | undefined]>([
    [[], undefined],
    [[events.requested], 'requested'],
    [[events.requested, events.held], 'held'],
    [[events.requested, events.tooPoor], 'rejected'],
    [[events.requested, events.held, events.credited], 'held'],
    [[events.requested, events.held, events.refused], 'held'],
    [[events.requested, events.held, events.voided], 'held'],
    [[events.requested, events.voided], 'requested'],
    [[events.requested, events.held, events.credited, events.committed], 'committed'],
    [[events.requested, events.held, events.refused, events.rejected], 'rejected'],
    [[events.requested, events.held, events.voided, events.cancelled], 'cancelled'],
    [[events.requested, events.voided, events.cancelled], 'cancelled'],
  ])('of %j gives %s', (stream, status) => {
    const folded = stream.reduce<Transfer | undefined>(
      (transfer, event) => evolve(transfer, event, terms),
      undefined,
    );
    expect(folded?.status).toBe(status);
    if (folded) expect(folded.terms).toBe(terms);
  });

  it.each<[TransferEvent[], TransferEvent]>([
    [[], events.held],
    [[], events.credited],
    [[], events.committed],
    [[events.requested], events.requested],
    [[events.requested], events.committed],
    [[events.requested, events.held], events.requested],
    [[events.requested, events.held], events.held],
    [[events.requested, events.held], events.tooPoor],
    [[events.requested, events.tooPoor], events.held],
    [[events.requested, events.tooPoor], events.cancelled],
    [[events.requested, events.held, events.committed], events.held],
    [[events.requested, events.held, events.committed], events.committed],
    [[events.requested, events.held, events.committed], events.rejected],
    [[events.requested, events.held, events.committed], events.cancelled],
    [[events.requested, events.held, events.cancelled], events.committed],
    [[events.requested, events.held, events.cancelled], events.cancelled],
  ])('refuses, after %j, %j', (stream, illegal) => {
    const folded = stream.reduce<Transfer | undefined>(
      (transfer, event) => evolve(transfer, event, terms),
      undefined,
    );
    expect(() => evolve(folded, illegal, terms)).toThrow(InvariantViolation);
  });

  it('refuses to hold for a transfer to the very account it comes from', () => {
    const toItself: Transfer = { status: 'requested', terms: { ...terms, destination: 'A' } };
    const account = anAccount('A', { balance: 1_000n });
    expect(decideSource(toItself, { type: 'hold', account })).toMatchObject({
      kind: 'accepted',
      event: { type: 'rejected', step: STEP.hold, reason: 'same_account' },
      account: undefined,
    });
  });

  it('lets a funding commit without a hold: its other side is an external account', () => {
    const funding = { ...terms, source: '~external:0:EUR' };
    const requested = evolve(undefined, events.requested, funding);
    expect(evolve(requested, events.committed, funding).status).toBe('committed');
  });

  it('keeps the reason of an end', () => {
    expect(evolve(held, events.rejected, terms)).toMatchObject({ reason: 'destination_closed' });
    expect(evolve(held, events.cancelled, terms)).toMatchObject({ reason: 'hold_expired' });
  });

  it.each<[TransferEvent, Decision | undefined]>([
    [events.requested, undefined],
    [events.held, undefined],
    [events.tooPoor, undefined],
    [events.credited, { outcome: 'credited' }],
    [events.refused, { outcome: 'refused', reason: 'destination_closed' }],
    [events.voided, { outcome: 'voided', reason: 'hold_expired' }],
    [events.committed, undefined],
    [events.rejected, undefined],
    [events.cancelled, undefined],
  ])('%j records the decision %j', (event, decision) => {
    expect(decisionOf(event)).toEqual(decision);
  });

  it.each<[TransferStatus, boolean]>([
    ['requested', false],
    ['held', false],
    ['committed', true],
    ['rejected', true],
    ['cancelled', true],
  ])('%s is an end: %s', (status, expected) => {
    expect(isEnded(status)).toBe(expected);
  });
});

it('events that exclude each other share a step, and steps leave room between them', () => {
  expect(STEP).toEqual({ request: 10, hold: 20, decide: 30, end: 40 });
});
