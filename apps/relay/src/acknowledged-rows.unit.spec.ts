import { describe, expect, it } from '@jest/globals';
import { AcknowledgedRows } from './acknowledged-rows.js';

describe('rows that Kafka has', () => {
  it('nothing is never due', () => {
    expect(new AcknowledgedRows().dueInMs(5)).toBe(Number.POSITIVE_INFINITY);
  });

  it('they gather for a tenth of a second, counted from the first', () => {
    const rows = new AcknowledgedRows();
    rows.add([1n], 1_000);
    rows.add([2n, 4n], 1_060);
    expect(rows.dueInMs(1_060)).toBe(40);
    expect(rows.dueInMs(1_100)).toBe(0);
    expect(rows.dueInMs(9_000)).toBe(0);
    expect(rows.seqs).toEqual([1n, 2n, 4n]);
  });

  it('many are due at once', () => {
    const rows = new AcknowledgedRows();
    const many = Array.from({ length: 200 }, (_, index) => BigInt(index));
    rows.add(many.slice(1), 0);
    expect(rows.dueInMs(0)).toBe(100);
    rows.add(many.slice(0, 1), 0);
    expect(rows.dueInMs(0)).toBe(0);
  });

  it('those that came meanwhile stay, and time counts anew for the next', () => {
    const rows = new AcknowledgedRows();
    rows.add([1n, 2n], 0);
    const sent = rows.seqs;
    rows.add([3n], 50);
    rows.deleted(sent);
    expect(rows.seqs).toEqual([3n]);
    rows.deleted([3n]);
    rows.add([5n], 300);
    expect(rows.dueInMs(300)).toBe(100);
  });
});
