import { TOPICS } from '@surety/contracts';
import { LEASE_TTL_MS, ShardUnit } from '@surety/relay';
import type { Outbox, OutboxMessage } from '@surety/relay';
import type { Life, LogMessage, OutboxEntry, SimulatedShard } from '@surety/testing/simulation';
import { NO_METRICS, watchfulLog } from './silence.js';
import type { World } from './world.js';

/** The relay's units, one for each shard, as the process runs them. */
export function relay(world: World): (life: Life) => Promise<void> {
  return async (life) => {
    const doorbell = world.bell.doorbellFor(life);
    for (const shard of world.shards) {
      const unit = new ShardUnit({
        shard: shard.id,
        partitions: 16,
        outbox: outboxOf(world, life, shard),
        lease: shard.leases.leaseFor(life, {
          name: 'relay',
          ttlMs: LEASE_TTL_MS,
          isExclusive: world.hasLeases,
        }),
        publisher: {
          publish: (messages) => world.log.publish(life, messages),
          close: async () => undefined,
        },
        doorbell,
        clock: life.clock,
        metrics: NO_METRICS,
        log: watchfulLog(life),
      });
      await unit.start();
    }
  };
}

function outboxOf(world: World, life: Life, shard: SimulatedShard): Outbox {
  const statement = <R>(run: () => R): Promise<R> => shard.statement(life, run);
  const isForgetful = world.has('cursor_skips_late_rows');
  const isEarly = world.has('deletion_before_publishing');
  const read = (afterSeq: bigint, rowsMax: number): OutboxMessage[] => {
    const top = world.relayedTo.get(shard.id) ?? 0n;
    const rows = after(shard, isForgetful && top > afterSeq ? top : afterSeq, rowsMax);
    world.relayedTo.set(shard.id, rows.at(-1)?.seq ?? top);
    if (isEarly) remove(world, shard, rows);
    return rows.map(toMessage);
  };
  const readExactly = (seqs: readonly bigint[]): OutboxMessage[] =>
    isForgetful ? [] : seqs.flatMap((seq) => shard.outbox.get(seq) ?? []).map(toMessage);
  const removeExactly = (seqs: readonly bigint[]): void => {
    remove(world, shard, deleted(world, shard, seqs));
  };
  return {
    // One packet, yet no transaction: anything may happen between its statements.
    advance: async ({ acknowledged, afterSeq, rowsMax, gaps }) => {
      if (acknowledged.length > 0) {
        await statement(() => {
          removeExactly(acknowledged);
        });
      }
      const rows = await statement(() => read(afterSeq, rowsMax));
      const found = gaps.length > 0 ? await statement(() => readExactly(gaps)) : [];
      return { rows, found };
    },
    delete: (seqs) =>
      statement(() => {
        removeExactly(seqs);
      }),
    depth: () => statement(() => ({ rows: shard.outbox.size, oldestAgeSeconds: 0 })),
  };
}

function after(shard: SimulatedShard, seq: bigint, rowsMax: number): OutboxEntry[] {
  return [...shard.outbox.values()]
    .filter((row) => row.seq > seq)
    .sort((one, other) => (one.seq < other.seq ? -1 : 1))
    .slice(0, rowsMax);
}

function deleted(world: World, shard: SimulatedShard, seqs: readonly bigint[]): OutboxEntry[] {
  if (!world.has('deletion_by_range')) return seqs.flatMap((seq) => shard.outbox.get(seq) ?? []);
  const top = seqs.reduce((most, seq) => (seq > most ? seq : most), 0n);
  return [...shard.outbox.values()].filter(({ seq }) => seq <= top);
}

function remove(world: World, shard: SimulatedShard, rows: readonly OutboxEntry[]): void {
  for (const row of rows) {
    shard.outbox.delete(row.seq);
    if (!world.log.has(asSent(row))) {
      world.broken(`outbox row ${row.seq} of shard ${shard.id} is deleted and was never sent`);
    }
  }
}

function toMessage(row: OutboxEntry): OutboxMessage {
  const { topic, partition, value } = asSent(row);
  return { seq: row.seq, topic, partition, payload: value };
}

function asSent({ topic, partition, payload }: OutboxEntry): LogMessage {
  return { topic: TOPICS[topic as keyof typeof TOPICS], partition, value: payload };
}
