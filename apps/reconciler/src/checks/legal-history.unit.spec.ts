import { describe, expect, it } from '@jest/globals';
import type { Decision, TransferEventType, TransferKind, TransferStatus } from '@surety/domain';
import { decisionFault, isLegalHistory, lastOwnStep } from './legal-history.js';

const STEP_AT = [10, 20, 40];

/** `requested>held>`: one place per own step, empty where there is no event. */
function events(path: string): ReadonlyMap<number, TransferEventType> {
  const types = path.split('>');
  return new Map(
    types.flatMap((type, at) => (type ? [[STEP_AT[at]!, type as TransferEventType]] : [])),
  );
}

describe('isLegalHistory', () => {
  it.each<[TransferKind, TransferStatus, string, boolean]>([
    ['transfer', 'requested', 'requested', true],
    ['transfer', 'requested', 'requested>held', false],
    ['transfer', 'requested', '', false],
    ['transfer', 'held', 'requested>held', true],
    ['transfer', 'held', 'requested', false],
    ['transfer', 'held', '>held', false],
    ['transfer', 'held', 'requested>rejected', false],
    ['transfer', 'committed', 'requested>held>committed', true],
    ['transfer', 'committed', 'requested>>committed', false],
    ['transfer', 'committed', 'requested>held>cancelled', false],
    ['transfer', 'rejected', 'requested>rejected', true],
    ['transfer', 'rejected', 'requested>held>rejected', true],
    ['transfer', 'rejected', 'requested>held', false],
    ['transfer', 'cancelled', 'requested>held>cancelled', true],
    ['transfer', 'cancelled', 'requested>>cancelled', true],
    ['transfer', 'cancelled', 'requested>cancelled>cancelled', false],
    ['funding', 'committed', 'requested>>committed', true],
    ['funding', 'committed', 'requested>held>committed', false],
    ['funding', 'requested', 'requested', false],
  ])('%s in state %s with %s: %s', (kind, state, path, legal) => {
    expect(isLegalHistory({ kind, state, events: events(path) })).toBe(legal);
  });
});

describe('lastOwnStep', () => {
  it.each([
    ['requested', 10],
    ['requested>rejected', 20],
    ['requested>>cancelled', 40],
    ['', 0],
  ])('of %s is %i', (path, step) => {
    expect(lastOwnStep(events(path))).toBe(step);
  });

  it('passes over the decision, which is not the own event of the source', () => {
    expect(lastOwnStep(new Map([...events('requested>held'), [30, 'credited'] as const]))).toBe(20);
  });
});

describe('decisionFault', () => {
  const credited: Decision = { outcome: 'credited' };
  const refused: Decision = { outcome: 'refused', reason: 'destination_closed' };
  const voided: Decision = { outcome: 'voided', reason: 'hold_expired' };

  it.each<[TransferStatus, string, Decision | undefined, string | undefined]>([
    ['requested', 'requested', undefined, undefined],
    ['requested', 'requested', voided, undefined],
    ['requested', 'requested', credited, 'decided before it was held'],
    ['requested', 'requested', refused, 'decided before it was held'],
    ['held', 'requested>held', undefined, undefined],
    ['held', 'requested>held', credited, undefined],
    ['held', 'requested>held', refused, undefined],
    ['held', 'requested>held', voided, undefined],
    ['committed', 'requested>held>committed', credited, undefined],
    ['committed', 'requested>held>committed', undefined, 'committed without being credited'],
    ['committed', 'requested>held>committed', voided, 'committed without being credited'],
    ['rejected', 'requested>held>rejected', refused, undefined],
    ['rejected', 'requested>held>rejected', undefined, 'released without being refused'],
    ['rejected', 'requested>held>rejected', credited, 'released without being refused'],
    ['rejected', 'requested>rejected', undefined, undefined],
    ['rejected', 'requested>rejected', voided, undefined],
    ['rejected', 'requested>rejected', credited, 'rejected at the source, yet decided'],
    ['cancelled', 'requested>held>cancelled', voided, undefined],
    ['cancelled', 'requested>held>cancelled', undefined, 'cancelled without being voided'],
    ['cancelled', 'requested>>cancelled', credited, 'cancelled without being voided'],
  ])('%s by %s with %j: %s', (state, path, decision, fault) => {
    const facts = { kind: 'transfer', state, events: events(path) } as const;
    expect(decisionFault(facts, decision)).toBe(fault);
  });

  it.each([
    [undefined, undefined],
    [credited, 'funding has a decision'],
  ])('of a funding with %j: %s', (decision, fault) => {
    const facts = {
      kind: 'funding',
      state: 'committed',
      events: events('requested>>committed'),
    } as const;
    expect(decisionFault(facts, decision)).toBe(fault);
  });
});
