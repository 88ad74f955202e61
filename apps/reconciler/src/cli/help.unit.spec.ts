import { describe, expect, it } from '@jest/globals';
import { helpText } from './help.js';

describe('the help below the options of a command', () => {
  it('has its sections in one order, the paragraphs apart', () => {
    const text = helpText({
      notes: ['first', 'second'],
      json: ['{ a,', '  b }'],
      examples: [['surety a', 'does a']],
    });
    expect(text.split('\n')).toEqual([
      ...['Notes:', '  first', '', '  second', ''],
      ...['JSON (--json):', '  { a,', '    b }', ''],
      'Exit codes:',
      '  0  done, nothing is wrong',
      '  1  something was found, was refused, or does not exist',
      '  2  the command could not run, or was called wrongly',
      ...['', 'Examples:', '  surety a', '      does a'],
    ]);
  });

  it('wraps a long paragraph at words and loses none', () => {
    const words = Array.from({ length: 60 }, (_, n) => `word${n}`);
    const text = helpText({ notes: [words.join(' ')], examples: [] });
    const lines = text.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(90);
    expect(text.match(/word\d+/g)).toEqual(words);
  });
});
