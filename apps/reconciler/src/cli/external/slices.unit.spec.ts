import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FileRow, LedgerRow } from './rows.js';
import { SLICES, Slices } from './slices.js';

function rowsOf(n: number): [FileRow, LedgerRow] {
  const shared = { key: `key-${n}`, minor: 9_007_199_254_740_993n + BigInt(n), currency: 'EUR' };
  return [
    { side: 'file', line: n, day: null, ...shared },
    { side: 'ledger', transferId: `t-${n}`, day: n, ...shared },
  ];
}

/** A directory for temporary files of this spec alone: others match files at the same time. */
const usual = process.env['TMPDIR'];
const own = mkdtempSync(join(tmpdir(), 'surety-slices-'));

beforeAll(() => {
  process.env['TMPDIR'] = own;
});

afterAll(() => {
  if (usual === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = usual;
  rmSync(own, { recursive: true });
});

describe('both sides of a match', () => {
  it.each([
    ['in memory', 1_000_000],
    ['written out again and again', 500],
  ])('come back whole and together by key: %s', (_where, bufferedMax) => {
    const slices = new Slices({ sliceRowsMax: 1_000, bufferedMax });
    const rows = Array.from({ length: 300 }, (_, n) => rowsOf(n));
    for (const row of rows.flat()) slices.add(row);
    const found = [...slices];
    expect(found).toHaveLength(SLICES);
    for (const { files, ledgers } of found) {
      expect(files.map(({ key }) => key)).toEqual(ledgers.map(({ key }) => key));
    }
    const all = found.flatMap(({ files, ledgers }) => [...files, ...ledgers]);
    expect(all).toHaveLength(600);
    expect(new Set(all)).toEqual(new Set(rows.flat()));
    slices.remove();
    expect(readdirSync(own)).toEqual([]);
  });

  it('are refused where too much falls into one slice', () => {
    const slices = new Slices({ sliceRowsMax: 2, bufferedMax: 1_000 });
    const [row] = rowsOf(1);
    slices.add(row);
    slices.add(row);
    expect(() => {
      slices.add(row);
    }).toThrow('too much for one match');
  });
});
