import { describe, expect, it } from '@jest/globals';
import type { AccountSnapshot, Envelope } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import type { Step, TransferEventType } from '@surety/domain';
import { aTransferId } from '@surety/testing';
import fc from 'fast-check';
import { ProjectionFold, ShardFolds } from './projected-rows.js';

const SOURCE = 'fold-source';
const DESTINATION = 'fold-destination';

function event(
  type: TransferEventType,
  step: Step,
  { n = 1, accounts = [] }: { n?: number; accounts?: readonly AccountSnapshot[] } = {},
): Envelope {
  const transferId = aTransferId(SOURCE, n);
  const ends = { rejected: 'insufficient_funds', refused: 'destination_closed' } as const;
  const reason = type === 'rejected' || type === 'refused' ? { reason: ends[type] } : {};
  return {
    id: `${transferId}/${step}`,
    type,
    schema: 1,
    transferId,
    step,
    sourceSlot: slotOfAccount(SOURCE),
    destinationSlot: slotOfAccount(DESTINATION),
    requestedAt: '2026-01-31T10:15:30.000000Z',
    occurredAt: `2026-01-31T10:15:30.0000${step}Z`,
    actor: 'saga',
    causation: null,
    traceparent: null,
    accounts,
    data: {
      ...{ kind: 'transfer', source: SOURCE, destination: DESTINATION },
      ...{ amount: '100', currency: 'EUR', ...reason },
    },
  };
}

function snapshot(id: string, version: number, balance = '0'): AccountSnapshot {
  return { id, balance, held: '0', version: String(version) };
}

function foldOf(events: readonly Envelope[]): ProjectionFold {
  const fold = new ProjectionFold();
  for (const one of events) fold.take(one);
  return fold;
}

describe('the projected status', () => {
  it.each([
    ['rejected', 20, 'rejected'],
    ['committed', 40, 'committed'],
    ['rejected', 40, 'rejected'],
    ['cancelled', 40, 'cancelled'],
  ] as const)('after %s at step %i is %s', (type, step, status) => {
    const [row] = foldOf([event(type, step)]).statuses.values();
    expect(row).toMatchObject({ status, version: step, slot: slotOfAccount(SOURCE) });
  });

  it.each([
    ['requested', 10],
    ['held', 20],
    ['credited', 30],
    ['refused', 30],
    ['voided', 30],
  ] as const)('is an end, which %s at step %i is not', (type, step) => {
    expect(foldOf([event(type, step)]).statuses.size).toBe(0);
  });

  it('says why, and when', () => {
    const [row] = foldOf([event('rejected', 20)]).statuses.values();
    expect(row).toMatchObject({
      reason: 'insufficient_funds',
      updatedAt: '2026-01-31T10:15:30.000020Z',
    });
  });
});

describe('the projected balance', () => {
  it('is the newest snapshot of the account, on the slot of the account', () => {
    const held = event('held', 20, { accounts: [snapshot(SOURCE, 7, '-900719925474099300')] });
    const older = event('held', 20, { n: 2, accounts: [snapshot(SOURCE, 6)] });
    const [row] = foldOf([held, older]).balances.values();
    expect(row).toEqual({
      accountId: SOURCE,
      slot: slotOfAccount(SOURCE),
      balance: -900719925474099300n,
      held: 0n,
      version: 7n,
      updatedAt: held.occurredAt,
      currency: 'EUR',
    });
  });

  it('lies on the slot of the account, be it the source, the destination or another', () => {
    const accounts = ['neither', DESTINATION, SOURCE].map((id) => snapshot(id, 1));
    const rows = [...foldOf([event('committed', 40, { accounts })]).balances.values()];
    expect(rows.map(({ slot }) => slot)).toEqual(accounts.map(({ id }) => slotOfAccount(id)));
  });

  it('comes from changes only: a refusal shows an account that it did not change', () => {
    const accounts = [snapshot(SOURCE, 3)];
    expect(foldOf([event('rejected', 20, { accounts })]).balances.size).toBe(0);
    expect(foldOf([event('refused', 30, { accounts })]).balances.size).toBe(0);
    expect(foldOf([event('rejected', 40, { accounts })]).balances.size).toBe(1);
  });
});

describe('any order and any number of deliveries', () => {
  it('gives the same rows', () => {
    const history = [1, 2, 3].flatMap((n) => [
      event('requested', 10, { n }),
      event('held', 20, { n, accounts: [snapshot(SOURCE, 2 * n, `${n}00`)] }),
      event('credited', 30, { n, accounts: [snapshot(DESTINATION, n, `${n}`)] }),
      event('committed', 40, { n, accounts: [snapshot(SOURCE, 2 * n + 1, `${n}50`)] }),
    ]);
    const expected = foldOf(history);
    const deliveries = fc
      .array(fc.constantFrom(...history), { maxLength: 20 })
      .chain((repeats) => fc.shuffledSubarray([...history, ...repeats], { minLength: 12 }))
      .filter((events) => history.every((one) => events.includes(one)));
    fc.assert(
      fc.property(deliveries, (events) => {
        const fold = foldOf(events);
        expect(fold.balances).toEqual(expected.balances);
        expect(fold.statuses).toEqual(expected.statuses);
      }),
      { numRuns: 50 },
    );
  });
});

describe('rows by shard', () => {
  it('lie where their own slot is carried, whatever event brought them', () => {
    const folds = new ShardFolds((slot) => (slot === slotOfAccount(SOURCE) ? 0 : 1));
    folds.take(event('committed', 40, { accounts: [snapshot(DESTINATION, 1)] }));
    const [source, destination] = [0, 1].map((shard) => folds.byShard.get(shard));
    expect(source?.statuses.size).toBe(1);
    expect(source?.balances.size).toBe(0);
    expect(destination?.balances.size).toBe(1);
  });

  it('are none where nothing is told that is projected', () => {
    const folds = new ShardFolds(() => 0);
    folds.take(event('requested', 10));
    expect(folds.byShard.size).toBe(0);
  });
});
