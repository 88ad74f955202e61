import { describe, expect, it } from '@jest/globals';
import { Progress } from './progress.js';

function hostOf(withTerminal: boolean) {
  const shown: string[] = [];
  const printed: string[] = [];
  const terminal = withTerminal
    ? { ask: async () => '', showLine: (text: string) => void shown.push(text) }
    : undefined;
  return {
    host: { terminal, printError: (text: string) => void printed.push(text) },
    ...{ shown, printed },
  };
}

describe('progress of long work', () => {
  it('is one line on a terminal, written over now and then, and gone at the end', () => {
    const { host, shown, printed } = hostOf(true);
    let nowMs = 0;
    const progress = new Progress(host, 'ranges', () => nowMs);
    for (; nowMs <= 1_000; nowMs += 50) progress.at(nowMs, 1_000);
    progress.end();
    expect(shown[0]).toBe('ranges: 200 of 1000');
    expect(shown).toHaveLength(6);
    expect(shown.at(-1)).toBe('');
    expect(printed).toEqual([]);
  });

  it('is a line every few seconds elsewhere, and none for short work', () => {
    const { host, printed } = hostOf(false);
    let nowMs = 0;
    const progress = new Progress(host, 'ranges', () => nowMs);
    for (; nowMs < 5_000; nowMs += 100) progress.at(nowMs);
    expect(printed).toEqual([]);
    for (; nowMs <= 10_000; nowMs += 100) progress.at(nowMs);
    progress.end();
    expect(printed).toEqual(['ranges: 5000', 'ranges: 10000']);
  });
});
