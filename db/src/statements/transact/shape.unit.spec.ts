import { describe, expect, it } from '@jest/globals';
import type { Leg } from '@surety/domain';
import { aTransferId } from '@surety/testing';
import { insertLegs } from './insert-legs.js';
import { sortedBy } from './shape.js';

describe('sortedBy', () => {
  it('sorts by ASCII bytes, makes each key once and leaves the given rows alone', () => {
    const rows = ['b', 'a', 'B', '~', '1'];
    let made = 0;
    const sorted = sortedBy(rows, (row) => {
      made += 1;
      return row;
    });
    expect(sorted).toEqual(['1', 'B', 'a', 'b', '~']);
    expect(made).toBe(rows.length);
    expect(rows[0]).toBe('b');
  });

  it('keeps the order of rows with one key', () => {
    const rows = Array.from({ length: 100 }, (_, n) => ({ key: String(n % 3), n }));
    const numbers = sortedBy(rows, ({ key }) => key).map(({ n }) => n);
    for (const rest of [0, 1, 2]) {
      const ofKey = numbers.filter((n) => n % 3 === rest);
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
    }
    expect(sortedBy([], String)).toEqual([]);
  });
});

describe('legs', () => {
  it('are numbered within their step in the order they come, however they are mixed', () => {
    const [first, second] = [aTransferId('payer', 1), aTransferId('payer', 2)].sort() as [
      string,
      string,
    ];
    const leg = (transferId: string, step: Leg['step'], minor: bigint): Leg =>
      ({ transferId, step, slot: 1, account: 'a', minor, currency: 'EUR' }) as Leg;
    const [sql] = insertLegs(
      [
        leg(second, 30, 1n),
        leg(first, 40, 2n),
        leg(second, 30, 3n),
        leg(first, 30, 4n),
        leg(first, 40, 5n),
        leg(second, 30, 6n),
      ],
      '2026-01-31T12:00:00.123456Z',
    );
    const rows = [...sql!.matchAll(/\(x'([0-9a-f]+)',(\d+),(\d+),1,'a',NULL,(\d+),/g)];
    const hex = (id: string): string => id.replaceAll('-', '');
    expect(rows.map(([, id, step, number, minor]) => [id, step, number, minor])).toEqual([
      [hex(first), '30', '0', '4'],
      [hex(first), '40', '0', '2'],
      [hex(first), '40', '1', '5'],
      [hex(second), '30', '0', '1'],
      [hex(second), '30', '1', '3'],
      [hex(second), '30', '2', '6'],
    ]);
  });
});
