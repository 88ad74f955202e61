import { describe, expect, it } from '@jest/globals';
import type { InjectedFault } from './campaign.js';
import { REPORT_BEGINS, REPORT_ENDS, reportOf, withReport } from './report.js';
import type { ChaosResult } from './run.js';

const at = '2026-01-02T03:04:05.000Z';
const kept: ChaosResult = {
  seed: 7,
  minutes: 2,
  faultsPerMinute: 20,
  engine: 'mysql',
  startedAt: at,
  cores: 2,
  versions: { Kafka: '4.1.1' },
  faults: [
    { kind: 'kill', target: 'relay-1', lengthMs: 0, isAlone: true, at, tookMs: 3 },
    { kind: 'slow', target: 'kafka', lengthMs: 1_000, isAlone: false, at, tookMs: 1_004 },
    { kind: 'slow', target: 'redis', lengthMs: 5_500, isAlone: false, at, tookMs: 5_503 },
    { kind: 'slow', target: 'redis', lengthMs: 9_000, isAlone: false, at, tookMs: 1, error: 'no' },
  ],
  wires: { refused: 1, cut: 2, bytesSwallowed: 3, statementsFailed: 4 },
  recoveries: [
    { process: 'relay', tookMs: 2_000, wasAlone: true, beforeMs: 300 },
    { process: 'relay', tookMs: 1_000, wasAlone: true },
    { process: 'relay', tookMs: 4_000, wasAlone: true },
    { process: 'relay', tookMs: 9_000, wasAlone: false },
  ],
  load: {
    submitted: 100,
    acknowledged: 99,
    committed: 80,
    rejected: 12,
    cancelled: 7,
    reusesRefused: 5,
    cancelsAsked: 9,
    fundings: 11,
    batches: 4,
    batchesSentAgain: 2,
    members: 31,
    badRequestsRefused: 3,
    longestEndMs: 1,
    slowestTransfer: '',
    byStatus: {},
    unknown: 6,
    unfinished: 0,
  },
  lastEndMs: 1_500,
  latestMs: 300,
  counts: { lost: 0, doubled: 0, membersTaken: 29 },
  commands: ['surety check: exit code 0'],
  replay: { messages: 400, tables: 34, tookMs: 9, changed: [] },
  violations: [],
  directory: 'the place',
};

describe('the report of a run', () => {
  it.each([
    ['the faults that were done, not those that could not be', '3 faults in 2 minutes'],
    ['what does the same again', '--minutes 2 --seed 7 --faults-per-minute 20 --mysql`'],
    ['how long they were', '| slow | 2 | 1.0 s to 5.5 s | 1 |'],
    [
      'recoveries with nothing else wrong apart from the others',
      '| relay | 3 | 0.3 s | 2.0 s | 4.0 s | 1 | 9.0 s | 9.0 s |',
    ],
    ['how many batches there were', '| batches submitted | 4 |\n| their members | 31 |'],
    [
      'how often a batch came again, and what was wrong in them',
      '| batches sent again with the same keys | 2 |\n' +
        '| bad requests among their members, refused | 3 |',
    ],
    ['how many members were compared', '| answers that took a member of a batch | 29 |'],
    ['what the replay changed', '| tables changed by it | 0 of 34 |'],
    ['that every promise was kept', 'Every promise was kept.'],
  ])('says %s', (_, text) => {
    expect(reportOf(kept)).toContain(text);
  });

  it('counts killed servers by what they are, and leaves out what was not killed', () => {
    const killed = (target: string, lengthMs: number, error?: string): InjectedFault => ({
      kind: 'server killed',
      ...{ target, lengthMs, isAlone: false, at, tookMs: 1 },
      ...(error === undefined ? {} : { error }),
    });
    const shards = [killed('shard0', 100), killed('shard1', 2_500), killed('shard1', 0, 'no')];
    const text = reportOf({ ...kept, faults: [...shards, killed('kafka', 1_200)] });
    expect(text).toContain(
      '| server killed: database | 2 | 0.1 s to 2.5 s | 1 |\n' +
        '| server killed: Kafka | 1 | 1.2 s to 1.2 s | 0 |\n',
    );
    expect(text).not.toContain('server killed: Redis');
    expect(reportOf({ ...kept, faults: [killed('redis', 0)] })).toContain(
      '| server killed: Redis | 1 |  | 0 |',
    );
  });

  it('names every broken promise and where its traces are', () => {
    const text = reportOf({ ...kept, violations: ['one', 'two'] });
    expect(text).toContain('Broken promises (logs and journal in the place):\n- one\n- two');
    expect(text).not.toContain('Every promise was kept.');
  });

  it('goes between its marks and leaves the rest of the page', () => {
    const page = `before ${REPORT_BEGINS} old ${REPORT_ENDS} after`;
    const once = withReport(page, 'new');
    expect(once).toBe(`before ${REPORT_BEGINS}\n\nnew\n\n${REPORT_ENDS} after`);
    expect(withReport(once, 'new')).toBe(once);
  });

  it('is not put into a page without the marks', () => {
    expect(() => withReport('no marks', 'new')).toThrow('<!--');
  });
});
