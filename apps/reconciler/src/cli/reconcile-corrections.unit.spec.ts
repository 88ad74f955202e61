import { describe, expect, it } from '@jest/globals';
import type { CorrectionReport } from '../repairs/run-corrections.js';
import { printCorrections } from './reconcile-corrections.js';

const since = '2026-01-02T03:04:05.000000Z';
const at = '2026-01-02T04:00:00.000000Z';
const nothing: CorrectionReport = {
  ...{ form: 'since', since, at, lastFull: { at: since, findings: 0 } },
  ...{ corrected: [], refused: [], isCut: false },
};
const everything: CorrectionReport = { ...nothing, form: 'full', since: null };

describe('what a correction run says', () => {
  it('is what it looked at and what it did not, before what it did', () => {
    expect(printCorrections(nothing, false)).toBe(
      [
        `looked at: what has happened since ${since}, as of ${at}`,
        `not looked at: history before ${since}, idempotency keys: --full looks at everything`,
        '0 corrections made, 0 refused',
      ].join('\n'),
    );
  });

  it('leaves nothing out that was looked at', () => {
    expect(printCorrections(everything, true)).toBe(
      `looked at: everything, as of ${at}\n0 corrections would be made, 0 refused`,
    );
  });

  it('tells what the look at everything before it has found', () => {
    const text = printCorrections({ ...everything, lastFull: { at: since, findings: 2 } }, false);
    expect(text).toContain(`the look at everything before this one (${since}) found 2 broken`);
  });
});
