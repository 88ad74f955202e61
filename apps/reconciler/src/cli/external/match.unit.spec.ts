import { describe, expect, it } from '@jest/globals';
import { matchRows } from './match.js';
import type { MatchRules } from './match.js';
import type { FileRow, LedgerRow } from './rows.js';

const RULES: MatchRules = {
  by: 'key',
  dateToleranceDays: 2,
  toleranceMinor: (currency) => (currency === 'EUR' ? 5n : 0n),
  from: 100,
  to: 110,
};

let lines = 1;
function line(key: string, minor: number, fields: Partial<FileRow> = {}): FileRow {
  lines += 1;
  const row = { side: 'file', key, line: lines, minor: BigInt(minor) } as const;
  return { ...row, currency: 'EUR', day: 105, ...fields };
}

let movements = 0;
function movement(key: string, minor: number, fields: Partial<LedgerRow> = {}): LedgerRow {
  movements += 1;
  const row = { side: 'ledger', key, transferId: `t${movements}`, minor: BigInt(minor) } as const;
  return { ...row, currency: 'EUR', day: 105, ...fields };
}

function outcome(files: FileRow[], ledgers: LedgerRow[], rules: Partial<MatchRules> = {}) {
  const { matched, differences } = matchRows(files, ledgers, { ...RULES, ...rules });
  return [matched, ...differences.map(({ kind }) => kind)];
}

describe('rows that are matched by key', () => {
  it.each<[string, FileRow[], LedgerRow[], (number | string)[]]>([
    ['agree', [line('a', 10)], [movement('a', 10)], [1]],
    ['agree within the tolerance', [line('a', 15)], [movement('a', 10)], [1]],
    ['differ beyond the tolerance', [line('a', 16)], [movement('a', 10)], [0, 'amount_differs']],
    ['differ in their sign', [line('a', -10)], [movement('a', 10)], [0, 'amount_differs']],
    [
      'have no tolerance in another currency',
      [line('a', 11, { currency: 'USD' })],
      [movement('a', 10, { currency: 'USD' })],
      [0, 'amount_differs'],
    ],
    [
      'differ in their currencies',
      [line('a', 10, { currency: 'USD' })],
      [movement('a', 10)],
      [0, 'currency_differs'],
    ],
    ['are missing here', [line('a', 10)], [], [0, 'missing_here']],
    ['are missing there', [], [movement('a', 10)], [0, 'missing_there']],
    [
      'come twice in the file',
      [line('a', 10), line('a', 10)],
      [movement('a', 10)],
      [1, 'duplicate_in_file'],
    ],
    [
      'come twice in the file and never here',
      [line('a', 10), line('a', 10)],
      [],
      [0, 'missing_here', 'duplicate_in_file'],
    ],
    [
      'share a key: those that agree are paired first',
      [line('a', 20), line('a', 100)],
      [movement('a', 100), movement('a', 20), movement('a', 300)],
      [2, 'missing_there'],
    ],
    ['lie before the window', [line('a', 10, { day: 99 })], [], [0]],
    ['lie after the window', [], [movement('a', 10, { day: 110 })], [0]],
    ['lie on its first day', [], [movement('a', 10, { day: 100 })], [0, 'missing_there']],
    ['have no date', [line('a', 10, { day: null })], [], [0, 'missing_here']],
  ])('%s', (_what, files, ledgers, expected) => {
    expect(outcome(files, ledgers)).toEqual(expected);
  });
});

describe('rows that are matched by amount and date', () => {
  const rules = { by: 'amountAndDate' } as const;
  const at = (day: number): FileRow => line('EUR 10', 10, { day });
  const on = (day: number): LedgerRow => movement('EUR 10', 10, { day });
  it.each<[string, FileRow[], LedgerRow[], (number | string)[]]>([
    ['near enough', [at(107)], [on(105)], [1]],
    ['too far apart', [at(108)], [on(105)], [0, 'missing_there', 'missing_here']],
    ['too early', [at(102)], [on(105)], [0, 'missing_here', 'missing_there']],
    ['twice, as often as here', [at(105), at(105)], [on(104), on(106)], [2]],
    ['twice, and here once', [at(105), at(105)], [on(105)], [1, 'missing_here']],
    ['in the one way that pairs all', [at(107), at(105)], [on(105), on(104)], [2]],
  ])('%s', (_what, files, ledgers, expected) => {
    expect(outcome(files, ledgers, rules)).toEqual(expected);
  });
});
