import { describe, expect, it } from '@jest/globals';
import { ENVELOPE_SCHEMA, TOPICS, encodeEnvelope, encodeMessage } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { evenSlotMap, slotOfAccount } from '@surety/domain';
import { createLogger, createMetrics } from '@surety/runtime';
import type { IncomingMessage } from '@surety/runtime';
import { aTransferId } from '@surety/testing';
import { MessageHandler } from './message-handler.js';
import type { BuriedMessage } from './message-handler.js';
import type { ProjectionFold } from './projected-rows.js';

const log = createLogger({ process: 'projector', instance: 'spec', level: 'error' });
log.silent = true;

function accountOn(shard: number): string {
  for (let n = 0; ; n += 1) {
    const id = `projected-${n}`;
    if (Math.floor((slotOfAccount(id) * 2) / 4096) === shard) return id;
  }
}

function held(source: string, schema = 1): Envelope {
  const transferId = aTransferId(source, 1);
  const at = '2026-01-31T10:15:30.123456Z';
  return {
    ...{ id: `${transferId}/20`, type: 'held', schema, transferId, step: 20 },
    sourceSlot: slotOfAccount(source),
    destinationSlot: slotOfAccount('elsewhere'),
    ...{ requestedAt: at, occurredAt: at, actor: 'saga', causation: null, traceparent: null },
    accounts: [{ id: source, balance: '500', held: '100', version: '2' }],
    data: { kind: 'transfer', source, destination: 'elsewhere', amount: '100', currency: 'EUR' },
  };
}

function messages(topic: string, values: readonly string[]): readonly IncomingMessage[] {
  return values.map((value, at) => ({
    ...{ topic, partition: 3, offset: String(at) },
    ...{ value, timestampMs: 0 },
  }));
}

function scene(failing: ReadonlySet<number> = new Set()) {
  const submitted: { shard: number; rows: ProjectionFold }[] = [];
  const buried: { shard: number; message: BuriedMessage }[] = [];
  const projection = (shard: number) => ({
    submit: async (rows: ProjectionFold) => {
      submitted.push({ shard, rows });
      return !failing.has(shard);
    },
  });
  const handler = new MessageHandler({
    currentMap: () => evenSlotMap(2),
    partitions: 16,
    projections: new Map([0, 1].map((shard) => [shard, projection(shard)])),
    bury: async (shard, message) => {
      if (failing.has(shard)) throw new Error('away');
      buried.push({ shard, message });
    },
    metrics: createMetrics('projector'),
    log,
  });
  const handleOf =
    (topic: string) =>
    (...values: readonly string[]) =>
      handler.handle({ topic, partition: 3, messages: messages(topic, values) }, 0);
  return { submitted, buried, handle: handleOf(TOPICS.toDestination), handleOf };
}

function encoded(...events: readonly Envelope[]): string {
  return encodeMessage(events.map(encodeEnvelope));
}

describe('a batch of a partition', () => {
  it('is folded as a whole and handed to the shards that carry its rows', async () => {
    const { submitted, handle } = scene();
    const [left, right] = [accountOn(0), accountOn(1)];
    expect(await handle(encoded(held(left)), encoded(held(right), held(left)))).toEqual({
      processed: 2,
    });
    expect(submitted.map(({ shard, rows }) => [shard, rows.size])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it('comes again where one shard fails; the others have their rows', async () => {
    const { submitted, handle } = scene(new Set([1]));
    const verdict = await handle(encoded(held(accountOn(0)), held(accountOn(1))));
    expect(verdict).toEqual({ processed: 0, stops: false });
    expect(submitted).toHaveLength(2);
  });

  it('passes over a message that cannot be read, which the workers keep', async () => {
    const { submitted, buried, handle } = scene();
    expect(await handle('nonsense', encoded(held(accountOn(0))))).toEqual({ processed: 2 });
    expect(submitted).toHaveLength(1);
    expect(buried).toEqual([]);
  });

  it('keeps a message about ends that cannot be read, which nobody else reads', async () => {
    const { submitted, buried, handleOf } = scene();
    const handle = handleOf(TOPICS.ended);
    expect(await handle(encoded(held(accountOn(0))), 'nonsense')).toEqual({ processed: 2 });
    expect(submitted).toHaveLength(1);
    expect(buried).toMatchObject([
      { shard: 0, message: { partition: 3, offset: '1', slot: 768, payload: 'nonsense' } },
    ]);
  });

  it('comes again where such a message cannot be kept: the shard is away', async () => {
    const { handleOf } = scene(new Set([0]));
    const verdict = await handleOf(TOPICS.ended)('nonsense');
    expect(verdict).toEqual({ processed: 0, stops: false });
  });

  it('stops for long before a message of a newer schema', async () => {
    const newer = ENVELOPE_SCHEMA + 1;
    const { submitted, handle } = scene();
    const verdict = await handle(encoded(held(accountOn(0))), encoded(held(accountOn(1), newer)));
    expect(verdict).toEqual({ processed: 1, retryAfterMs: 30_000, stops: true });
    expect(submitted).toHaveLength(1);
  });

  it('stops there, too, while a shard of what comes before it is away', async () => {
    const newer = ENVELOPE_SCHEMA + 1;
    const { handle } = scene(new Set([0]));
    const verdict = await handle(encoded(held(accountOn(0))), encoded(held(accountOn(1), newer)));
    expect(verdict).toMatchObject({ processed: 0, stops: true });
  });
});
