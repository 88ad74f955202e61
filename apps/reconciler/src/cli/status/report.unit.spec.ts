import { describe, expect, it } from '@jest/globals';
import { currencyTable } from '@surety/domain';
import { printStatus } from './print-status.js';
import { ageText, patienceOf, statusReport } from './report.js';
import type { ProcessStatus } from './processes.js';
import type { AnsweringShard, ShardStatus } from './shard-status.js';

const PATIENCE = { outboxSeconds: 30, openSeconds: 630 };
const ID = '01890a5d-ac96-774b-bcce-b302099a8057';
const AT = '2026-01-31T10:15:30.123Z';

function shard(fields: Partial<AnsweringShard> = {}): AnsweringShard {
  return {
    ...{ id: 0, answers: true, held: [] },
    outbox: { rows: 0, oldestAgeSeconds: 0, isMore: false },
    open: { byState: {}, oldest: undefined },
    openDeadLetters: 0,
    checked: { verifiedAt: AT, fullAt: AT, fullFindings: 0, now: AT },
    leases: [{ name: 'reconciler', holder: 'r-1', token: 7n, expiresAt: AT, isHeld: true }],
    ...fields,
  };
}

function ready(fields: Partial<ProcessStatus> = {}): ProcessStatus {
  return {
    ...{ name: 'workers', url: 'http://w:1', state: 'ready', trouble: [] },
    ...{ uptimeSeconds: 61, version: '0.1.0', lagMessages: 12, steps: null },
    ...fields,
  };
}

function attentionOf(shards: readonly ShardStatus[], processes: readonly ProcessStatus[] = []) {
  return statusReport({ at: AT, processes, shards }, PATIENCE).attention;
}

describe('what a person should look at', () => {
  it('is nothing where everything is as it should be', () => {
    const waiting = shard({
      outbox: { rows: 5, oldestAgeSeconds: 30, isMore: false },
      open: { byState: { held: 1 }, oldest: { transferId: ID, ageSeconds: 630 } },
    });
    expect(attentionOf([waiting], [ready()])).toEqual([]);
  });

  it.each<[string, ShardStatus, string]>([
    ['a shard that is away', { id: 1, answers: false, error: 'x' }, 'shard 1 is away'],
    [
      'an outbox that is behind',
      shard({ outbox: { rows: 5, oldestAgeSeconds: 30.1, isMore: false } }),
      'shard 0: the outbox is 30s behind',
    ],
    [
      'a transfer that stands too long',
      shard({ open: { byState: { held: 1 }, oldest: { transferId: ID, ageSeconds: 631 } } }),
      `shard 0: transfer ${ID} stands open for 10m 31s`,
    ],
    [
      'an open transfer without its row',
      shard({ open: { byState: { unknown: 2 }, oldest: undefined } }),
      'shard 0: 2 open transfers have no row',
    ],
    ['a dead letter', shard({ openDeadLetters: 2 }), 'shard 0: 2 open dead letters'],
    [
      'what the last full check has found',
      shard({ checked: { verifiedAt: null, fullAt: AT, fullFindings: 3, now: AT } }),
      'shard 0: the last full check found 3 broken',
    ],
    [
      'a lease that nobody holds',
      shard({ leases: [{ ...shard().leases[0]!, isHeld: false }] }),
      'shard 0: nobody holds the lease reconciler (last: r-1)',
    ],
  ])('is %s', (_, seen, line) => {
    const attention = attentionOf([seen]);
    expect(attention).toHaveLength(1);
    expect(attention[0]).toContain(line);
  });

  it('is a process that is not ready, with what it cannot reach', () => {
    const workers = ready({ state: 'unready', trouble: ['kafka (ECONNREFUSED)'] });
    expect(attentionOf([], [workers])).toEqual(['workers is unready: kafka (ECONNREFUSED)']);
  });

  it.each<[string, ProcessStatus['steps'][], string[]]>([
    [
      'every step is run by somebody',
      [
        { hold: true, credit: false },
        { hold: false, credit: true },
      ],
      [],
    ],
    ['a step is run by nobody', [{ hold: true, credit: false }], ['credit']],
    ['two are', [{ hold: false, credit: true, settle: false }, null], ['hold, settle']],
    ['nobody tells', [null, null], []],
  ])('is a step that no worker process runs: %s', (_, steps, missing) => {
    const processes = steps.map((one) => ready({ steps: one }));
    expect(attentionOf([shard()], processes)).toEqual(
      missing.map(
        (names) =>
          `no worker process that answers runs ${names}: transfers wait for it until they expire`,
      ),
    );
  });

  it('begins after the longest way to an end that the time-outs allow', () => {
    expect(patienceOf({ holdTimeoutMs: 300_000, stallTimeoutMs: 30_000 })).toEqual(PATIENCE);
  });
});

describe('the screen', () => {
  const currencies = currencyTable([]);

  it('sums held money over the shards, by currency', () => {
    const held = (currency: string, sumMinor: bigint) => [{ currency, sumMinor, holds: 1 }];
    const shards = [
      shard({ held: held('EUR', 150n) }),
      shard({ id: 1, held: held('EUR', 50n) }),
      shard({ id: 2, held: held('JPY', 7n) }),
    ];
    const report = statusReport({ at: AT, processes: null, shards }, PATIENCE);
    const text = printStatus(report, currencies);
    expect(text).toContain('held: 2.00 EUR (2 holds), 7 JPY (1 hold)');
    expect(text).toContain('processes: unknown here');
    expect(text).toMatch(/nothing stands out$/);
  });

  it('shows a process, a shard that is away, and ends with what to look at', () => {
    const shards = [{ id: 0, answers: false, error: 'x' } as const];
    const report = statusReport({ at: AT, processes: [ready()], shards }, PATIENCE);
    const text = printStatus(report, currencies);
    expect(text).toMatch(/workers +ready +1m 1s +12 +0\.1\.0 +http:\/\/w:1/);
    expect(text).toMatch(/\n0 +away\n/);
    expect(text).not.toContain('verified up to');
    expect(text).toMatch(/look at:\n {2}shard 0 is away$/);
  });

  it.each([
    [0.04, '0.0s'],
    [9.94, '9.9s'],
    [10, '10s'],
    [59.9, '59s'],
    [60, '1m 0s'],
    [3_599, '59m 59s'],
    [3_600, '1h 0m'],
    [86_399, '23h 59m'],
    [86_400, '1d 0h'],
    [350_000, '4d 1h'],
  ])('says %s seconds as %s', (seconds, text) => {
    expect(ageText(seconds)).toBe(text);
  });
});
