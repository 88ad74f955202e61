import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import { aTransferId } from '@surety/testing';
import { ProjectionFold } from './projected-rows.js';
import type { ProjectedRows } from './projected-rows.js';
import { rebuildFromEvents } from './rebuild.js';
import type { RebuildStore } from './rebuild.js';
import type { RowsOfTables } from './shard-projection.js';

const SOURCE = 'rebuild-source';
const warnings: string[] = [];
const errors: unknown[] = [];
const log = {
  info: () => log,
  warn: (text: string) => warnings.push(text),
  error: (_text: string, fields: unknown) => errors.push(fields),
} as never;

function committed(n: number): Envelope {
  const transferId = aTransferId(SOURCE, n);
  const at = '2026-01-31T10:15:30.123456Z';
  return {
    ...{ id: `${transferId}/40`, type: 'committed', schema: 1, transferId, step: 40 },
    ...{ sourceSlot: slotOfAccount(SOURCE), destinationSlot: slotOfAccount('elsewhere') },
    ...{ requestedAt: at, occurredAt: at, actor: 'saga', causation: null, traceparent: null },
    accounts: [{ id: SOURCE, balance: '500', held: `${n}`, version: `${n}` }],
    data: {
      ...{ kind: 'transfer', source: SOURCE, destination: 'elsewhere' },
      ...{ amount: '1', currency: 'EUR' },
    },
  };
}

/** A shard whose events come in pages; its rows are a fold, so they take only what is newer. */
class StoreDouble implements RebuildStore<number> {
  readonly shard = 0;
  rows = new ProjectionFold();
  readonly events: string[];
  readonly ids: readonly string[];

  constructor(events: readonly Envelope[]) {
    this.events = events.map(encodeEnvelope);
    this.ids = events.map(({ id }) => id);
  }

  async clear(): Promise<void> {
    this.rows = new ProjectionFold();
  }

  async readEvents(after: number | undefined, limit: number) {
    const from = after ?? 0;
    const page = this.events.slice(from, from + limit);
    const events = page.map((encoded, at) => ({ id: this.ids[from + at]!, encoded }));
    const next = from + limit < this.events.length ? from + limit : undefined;
    return { events, next };
  }

  async upsert({ balances, statuses }: RowsOfTables): Promise<void> {
    for (const row of balances) this.rows.putBalance(row);
    for (const row of statuses) this.rows.putStatus(row);
  }
}

describe('a rebuild', () => {
  it('forgets rows that have no event, whatever their version claims', async () => {
    const store = new StoreDouble([]);
    const [wrong] = foldOf([committed(9)]).balances.values();
    await store.upsert({ balances: [{ ...wrong!, version: 1_000_000n }], statuses: [] });
    await rebuildFromEvents([store], { log });
    expect(store.rows.size).toBe(0);
  });

  it('comes to the fold of all events, page by page', async () => {
    const events = Array.from({ length: 2_500 }, (_, n) => committed(n + 1));
    const store = new StoreDouble(events);
    const [summary] = await rebuildFromEvents([store], { log });
    expect(store.rows.statuses.size).toBe(2_500);
    expect(store.rows.balances.get(SOURCE)?.version).toBe(2_500n);
    expect(summary).toMatchObject({ shard: 0, events: 2_500 });
  });

  it('refreshes the copies with what it wrote', async () => {
    const copied: ProjectedRows[] = [];
    const copies = {
      write: async (rows: ProjectedRows) => {
        copied.push(rows);
      },
    };
    await rebuildFromEvents([new StoreDouble([committed(1)])], { log, copies });
    expect(copied.map((rows) => rows.balances.size)).toEqual([1]);
  });

  it('goes on without copies once they cannot be written', async () => {
    let calls = 0;
    const copies = {
      write: async () => {
        calls += 1;
        if (calls === 2) throw new Error('Command timed out');
      },
    };
    const stores = [1_000, 2_500, 1_500].map(
      (count) => new StoreDouble(Array.from({ length: count }, (_, n) => committed(n + 1))),
    );
    const summaries = await rebuildFromEvents(stores, { log, copies });
    expect(summaries.map(({ events }) => events)).toEqual([1_000, 2_500, 1_500]);
    expect(stores.map(({ rows }) => rows.statuses.size)).toEqual([1_000, 2_500, 1_500]);
    expect([calls, warnings]).toEqual([
      2,
      ['copies cannot be written: the rest keep what they say'],
    ]);
  });

  it.each<[string, (encoded: string) => string]>([
    ['a newer release wrote it', (encoded) => encoded.replace('"schema":1', '"schema":9')],
    ['JSON', () => '{'],
    ['does not lie at step', (encoded) => encoded.replaceAll('/40"', '/20"').replace(':40', ':20')],
    ['tells of', () => encodeEnvelope(committed(7))],
  ])('tells of an event that it cannot read, and leaves out no other: %s', async (why, spoiled) => {
    errors.splice(0);
    const store = new StoreDouble([1, 2, 3].map(committed));
    store.events[1] = spoiled(store.events[1]!);
    const [summary] = await rebuildFromEvents([store], { log });
    expect(summary).toMatchObject({ shard: 0, events: 3, unreadable: 1 });
    const event = committed(2).id;
    expect(errors).toEqual([{ shard: 0, event, fault: expect.stringContaining(why) }]);
    expect([...store.rows.statuses.keys()]).toEqual([1, 3].map((n) => committed(n).transferId));
  });

  it('names the first of very many that it cannot read, and counts all', async () => {
    errors.splice(0);
    const store = new StoreDouble(Array.from({ length: 1_500 }, (_, n) => committed(n + 1)));
    store.events.fill('{', 10);
    const [summary] = await rebuildFromEvents([store], { log });
    expect([summary?.unreadable, errors.length]).toEqual([1_490, 20]);
  });
});

function foldOf(events: readonly Envelope[]): ProjectionFold {
  const fold = new ProjectionFold();
  for (const event of events) fold.take(event);
  return fold;
}
