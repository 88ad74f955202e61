import { describe, expect, it } from '@jest/globals';
import { AcknowledgedRows } from './acknowledged-rows.js';

class OutboxDouble {
  readonly deletions: bigint[][] = [];
  failures = 0;
  private waiting: (() => void)[] = [];

  async delete(seqs: readonly bigint[]): Promise<void> {
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('the shard is away');
    }
    this.deletions.push([...seqs]);
  }

  /** Answers the statement under way, then lets everything that waits for it happen. */
  async answer(): Promise<void> {
    this.waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('acknowledged rows', () => {
  it('are deleted exactly, and gather while a statement is under way', async () => {
    const outbox = new OutboxDouble();
    const rows = new AcknowledgedRows(outbox);
    rows.add([1n]);
    rows.add([2n, 5n]);
    rows.add([4n]);
    await outbox.answer();
    await outbox.answer();
    expect(outbox.deletions).toEqual([[1n], [2n, 5n, 4n]]);
  });

  it('go in statements of at most 500', async () => {
    const outbox = new OutboxDouble();
    const rows = new AcknowledgedRows(outbox);
    rows.add(Array.from({ length: 501 }, (_, at) => BigInt(at)));
    await outbox.answer();
    await outbox.answer();
    expect(outbox.deletions.map((deletion) => deletion.length)).toEqual([500, 1]);
  });

  it('stay when their deletion fails; it is told once and tried again on settling', async () => {
    const outbox = new OutboxDouble();
    const rows = new AcknowledgedRows(outbox);
    outbox.failures = 1;
    rows.add([7n]);
    await outbox.answer();
    expect(() => {
      rows.throwFailure();
    }).toThrow('the shard is away');
    expect(() => {
      rows.throwFailure();
    }).not.toThrow();
    const settled = rows.settle();
    await outbox.answer();
    await settled;
    expect(outbox.deletions).toEqual([[7n]]);
  });
});
