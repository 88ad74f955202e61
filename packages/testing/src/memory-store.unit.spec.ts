import { MemoryShardStore } from './memory-store.js';
import { describeShardStore } from './shard-store-contract.js';

describeShardStore('in memory', async () => {
  const store = new MemoryShardStore(0, () => Date.parse('2026-01-31T12:00:01Z'));
  const { rows } = store;
  return {
    store,
    epoch: () => store.epoch,
    raiseEpoch: async () => {
      store.epoch += 1n;
    },
    takeLease: async (name) => {
      const token = (rows.leases.get(name) ?? 0n) + 1n;
      rows.leases.set(name, token);
      return token;
    },
    stored: async () => ({
      holds: [...rows.holds.keys()],
      openTransfers: [...rows.openTransfers],
      events: [...rows.events.keys()],
      legs: rows.legs.map(({ minor }) => minor),
      audited: rows.audit.flatMap(({ transferId }) => transferId ?? []),
      outbox: rows.outbox.map(({ payload }) => payload),
    }),
    drop: async () => undefined,
  };
});
