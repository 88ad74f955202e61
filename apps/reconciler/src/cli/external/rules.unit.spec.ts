import { describe, expect, it } from '@jest/globals';
import { currencyTable } from '@surety/domain';
import { parseRules } from './rules.js';

const currencies = currencyTable();
const good = {
  file: { columns: { key: 'Reference', amount: 'Amount', date: 'Date' }, currency: 'EUR' },
  transfers: { account: 'ACC001', from: '2026-01-01', to: '2026-02-01' },
  match: { by: 'transferId' },
};

function mistakesOf(rules: unknown): string[] {
  try {
    parseRules(typeof rules === 'string' ? rules : JSON.stringify(rules), currencies);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n  ');
  }
}

describe('rules', () => {
  it('have defaults for what a plain file needs', () => {
    expect(parseRules(JSON.stringify(good), currencies)).toMatchObject({
      file: { delimiter: ',', decimal: '.', sign: 'positive_in', timeZone: 'UTC' },
      transfers: { direction: 'both' },
      match: { dateToleranceDays: 0, tolerance: {} },
    });
  });

  it('that are wrong are told every mistake at once', () => {
    const mistakes = mistakesOf({
      file: {
        ...good.file,
        delimiter: ';;',
        dateFormat: 'YY',
        timeZone: 'Mars/Olympus',
        colour: 1,
      },
      transfers: { account: 'ä', from: '2026-02-30', to: '2026-02-01', direction: 'up' },
      match: { by: 'luck', dateToleranceDays: 32, tolerance: { EUR: -1 } },
    });
    const paths = mistakes.slice(1).map((line) => line.split(':')[0]);
    expect(paths.sort()).toEqual([
      'file',
      'file.dateFormat',
      'file.delimiter',
      'file.timeZone',
      'match.by',
      'match.dateToleranceDays',
      'match.tolerance.EUR',
      'transfers.account',
      'transfers.direction',
      'transfers.from',
    ]);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'not JSON'],
    ['nothing in them', {}, 'file: is needed'],
    ['no amount', { ...good, file: { columns: {} } }, 'file.columns.amount: is needed'],
    ['nothing to match by', { ...good, match: {} }, 'match.by: is needed'],
    [
      'another way to match',
      { ...good, match: { by: 'metadata' } },
      'match.by: is not transferId, description, metadata.<member> or amountAndDate',
    ],
    [
      'another sign',
      { ...good, file: { ...good.file, sign: { column: 'S' } } },
      'file.sign: is not positive_in, positive_out or a column with the values in and out',
    ],
    [
      'no day',
      { ...good, transfers: { ...good.transfers, from: '2026-02-30' } },
      'transfers.from: is not a day such as 2026-01-31',
    ],
    [
      'no currency',
      { ...good, file: { ...good.file, currency: undefined } },
      'file.currency: either this',
    ],
    [
      'an unknown currency',
      { ...good, file: { ...good.file, currency: 'XXQ' } },
      '"XXQ" is not a known currency',
    ],
    [
      'one sign for both',
      { ...good, file: { ...good.file, grouping: '.' } },
      'file.grouping: is the same',
    ],
    [
      'no key',
      { ...good, file: { ...good.file, columns: { amount: 'A' } } },
      'file.columns.key: is needed',
    ],
    [
      'no date for amountAndDate',
      {
        ...good,
        file: { ...good.file, columns: { amount: 'A' } },
        match: { by: 'amountAndDate' },
      },
      'file.columns.date: is needed',
    ],
    [
      'an empty window',
      { ...good, transfers: { ...good.transfers, to: '2026-01-01' } },
      'transfers.to: is not after',
    ],
  ])('with %s are refused', (_what, rules, mistake) => {
    expect(mistakesOf(rules).join('\n')).toContain(mistake);
  });
});
