import { describe, expect, it } from '@jest/globals';
import { answersFromBlock, asBlock } from './blocks.js';

const DONE = { affectedRows: 0, insertId: 0 };

describe('the answer to the question for blocks', () => {
  it.each([
    ['of a server that has them', [DONE, DONE, [[1]], DONE], true],
    ['with whole numbers as text', [DONE, [['1']], DONE], true],
    ['of a server that skipped the comments', [DONE, DONE, [[0]]], false],
    ['without a row', [DONE, []], false],
    ['that is none', undefined, false],
    ['of one statement', DONE, false],
  ])('%s', (_, results, expected) => {
    expect(answersFromBlock(results)).toBe(expected);
  });
});

it('a block ends every statement, its last one too', () => {
  expect(asBlock('UPDATE a SET b = 1;\nCOMMIT')).toBe(
    'BEGIN NOT ATOMIC\nUPDATE a SET b = 1;\nCOMMIT;\nEND',
  );
});
