import { describe, expect, it } from '@jest/globals';
import type { VerifyFinding } from '../seals/findings.js';
import type { ShardVerification } from '../seals/verify-shard.js';
import { printVerifications } from './print-verification.js';

const head = { seal: 3n, hash: 'ab', sealedAt: '2026-01-02T03:04:05.000000Z' };
const fresh: ShardVerification = {
  ...{ shard: 0, seals: 0, entries: 0n, head: null, unsealedEntries: 4n },
  ...{ findings: [], findingsTotal: 0, ms: 1 },
};
const sealed: ShardVerification = { ...fresh, seals: 3, entries: 9n, head };
const finding: VerifyFinding = {
  ...{ shard: 0, kind: 'altered', subject: 'entry', account: 'ACC1', entrySeq: 2n },
  ...{ transferId: null, step: null, seal: null, problem: 'is odd', detail: {} },
};
const broken = { findings: [finding], findingsTotal: 1 };

function verdictOf(...results: readonly ShardVerification[]): string | undefined {
  return printVerifications(results).split('\n').at(-1);
}

describe('the verdict of a verification', () => {
  it.each([
    [
      'nothing is sealed, and how many entries wait',
      [fresh, { ...fresh, shard: 1, unsealedEntries: 3n }],
      'nothing is sealed yet, nothing was compared, 7 entries wait to be sealed',
    ],
    [
      'there is no later seal than was asked for',
      [{ ...fresh, head }],
      'no later seal yet, nothing was compared, 4 entries wait to be sealed',
    ],
    [
      'what waits is unsound before its first seal',
      [{ ...fresh, ...broken }],
      'nothing is sealed yet, nothing was compared, 4 entries wait to be sealed: 1 found',
    ],
    [
      'all is what was sealed, where one shard has seals',
      [sealed, fresh],
      '3 seals, 9 entries compared: the ledger is what was sealed',
    ],
    ['it is not', [{ ...sealed, ...broken }], '3 seals, 9 entries compared: 1 found'],
  ])('says that %s', (_, results, text) => {
    expect(verdictOf(...results)).toBe(text);
  });
});
