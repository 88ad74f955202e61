import type { SweepReads } from '@surety/reconciler';
import type { Life, SimulatedShard } from '@surety/testing/simulation';

/** What the sweeps read of one shard. */
export function sweepReads(life: Life, shard: SimulatedShard): SweepReads {
  const { rows } = shard;
  const statement = <R>(run: () => R): Promise<R> => shard.statement(life, run);
  return {
    expiredHolds: (_, limit) =>
      statement(() =>
        [...rows.holds.values()]
          .filter((hold) => Date.parse(hold.expiresAt) < shard.databaseNowMs())
          .sort((one, other) => one.expiresAt.localeCompare(other.expiresAt))
          .slice(0, limit),
      ),
    openTransfers: (olderThanMs, _, limit) =>
      statement(() => {
        const transfers = [...rows.openTransfers]
          .map((id) => rows.transfers.get(id)!)
          .map((row) => ({
            transferId: row.id,
            slot: row.slot,
            state: row.state as 'requested' | 'held',
            ageMs: shard.databaseNowMs() - Date.parse(row.requestedAt),
          }))
          .filter(({ ageMs }) => ageMs > olderThanMs);
        return { transfers: transfers.slice(0, limit), next: undefined };
      }),
    decisions: (ids) =>
      statement(() => new Map([...rows.decisions].filter(([id]) => ids.includes(id)))),
    events: (refs) =>
      statement(() =>
        refs.flatMap(({ transferId, step }) => {
          const row = rows.events.get(`${transferId}/${step}`);
          return row ? [row] : [];
        }),
      ),
    outboxAgeMs: () =>
      statement(() => {
        const now = life.kernel.scheduler.nowMs;
        return [...shard.outbox.values()].reduce(
          (age, row) => Math.max(age, now - row.writtenAtMs),
          0,
        );
      }),
  };
}
