import { expect, it } from '@jest/globals';
import { REASONS, isReason } from './reasons.js';

it('every reason is a stable code with a sentence', () => {
  for (const [code, sentence] of Object.entries(REASONS)) {
    expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(sentence).toMatch(/^[A-Z].*\.$/);
    expect(isReason(code)).toBe(true);
  }
});

it.each(['', 'INSUFFICIENT_FUNDS', 'insufficient funds', 'toString', '__proto__', 'constructor'])(
  '%j is no reason',
  (text) => {
    expect(isReason(text)).toBe(false);
  },
);
