import { describe, expect, it } from '@jest/globals';
import type { CheckResult } from '../checks/types.js';
import { detailText, printChecks } from './print-checks.js';

function result(fields: Partial<CheckResult>): CheckResult {
  return {
    check: 'balances',
    promise: 'Balances are their legs.',
    ok: true,
    findings: [],
    isCut: false,
    rowsChecked: 3,
    notes: [],
    ms: 1.4,
    ...fields,
  };
}

describe('printChecks', () => {
  it('says that all promises are kept', () => {
    const text = printChecks([result({}), result({ check: 'transit' })]);
    expect(text).toContain('balances  ok');
    expect(text).toMatch(/2 checks, all promises kept$/);
  });

  it('counts one check as one', () => {
    expect(printChecks([result({})])).toMatch(/^1 check, all promises kept$/m);
  });

  it('names the rows that break a promise, with the values that contradict each other', () => {
    const finding = {
      shard: 1,
      key: 'account ACC001',
      problem: 'balance is not the sum of its legs',
      detail: { balance: '100', legs: '90' },
    };
    const text = printChecks([result({ ok: false, findings: [finding] })]);
    expect(text).toContain('BROKEN');
    expect(text).toContain('account ACC001');
    expect(text).toContain('balance=100 legs=90');
    expect(text).toMatch(/^1 check, 1 broken: balances$/m);
  });

  it('says that there are more findings than it lists', () => {
    const finding = { shard: null, key: 'EUR', problem: 'off', detail: {} };
    const text = printChecks([result({ ok: false, findings: [finding], isCut: true })]);
    expect(text).toContain('balances: 1 or more broken');
    expect(text).toContain('all    EUR');
  });

  it('prints notes without calling them broken', () => {
    expect(printChecks([result({ notes: ['2 rows behind'] })])).toContain(
      'note: balances: 2 rows behind',
    );
  });
});

describe('detailText', () => {
  it('says none for what is absent', () => {
    expect(detailText({ detail: { state: null, step: 20 } })).toBe('state=none step=20');
  });
});
