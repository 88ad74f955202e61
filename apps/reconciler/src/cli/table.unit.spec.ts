import { describe, expect, it } from '@jest/globals';
import { table } from './table.js';

describe('table', () => {
  it('makes columns as wide as their widest cell and puts numbers to the right', () => {
    expect(
      table(
        ['account', 'balance'],
        [
          ['ACC1', 5n],
          ['A', 12345n],
        ],
      ),
    ).toBe(
      ['account  balance', '-------  -------', 'ACC1           5', 'A          12345'].join('\n'),
    );
  });

  it('leaves no blanks at the end of a line and none for what is absent', () => {
    expect(table(['a', 'b'], [['x', null]])).toBe(['a  b', '-  -', 'x'].join('\n'));
  });

  it('takes any number of rows', () => {
    const rows = Array.from({ length: 150_000 }, (_, at) => [at]);
    expect(table(['n'], rows).split('\n')).toHaveLength(rows.length + 2);
  });

  it('prints its headings where there are no rows', () => {
    expect(table(['a'], [])).toBe('a\n-');
  });
});
