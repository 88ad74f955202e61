import { NO_CHANGES, StoreError, keyOf } from '@surety/saga';
import type {
  Changes,
  Fence,
  LoadRequest,
  Loaded,
  Planned,
  RoutableStore,
  ShardStore,
} from '@surety/saga';
import type { Life, SimulatedShard } from '@surety/testing/simulation';
import type { Bug } from './bugs.js';

type Decide<R> = (loaded: Loaded) => Planned<R>;
const BOUNDLESS = 10n ** 12n;

export interface Tampering {
  readonly life: Life;
  readonly shard: SimulatedShard;
  readonly bug: Bug | undefined;
}

/** The store as it is, or with the planted bug that lies in how a store is used. */
export function tampered(store: RoutableStore, tampering: Tampering): RoutableStore {
  const { bug, shard } = tampering;
  if (bug === undefined) return store;
  const at = (epoch: bigint, fence?: Fence): ShardStore =>
    bug === 'stale_epoch_accepted'
      ? store.at(shard.map.epoch, fence)
      : tamperedStore(store.at(epoch, fence), tampering);
  return { shard: store.shard, transact: tamperedStore(store, tampering).transact, at };
}

function tamperedStore(store: ShardStore, { life, shard, bug }: Tampering): ShardStore {
  const isWorker = life.process.name.startsWith('worker');
  if (bug === 'voided_event_lost') return writing(store, withoutVoided);
  if (bug === 'key_apart_from_its_transfer') return claimingFirst(store, life);
  if (bug === 'duplicate_key_ignored') return writing(store, (all) => withoutKnownKeys(all, shard));
  if (!isWorker) return store;
  if (bug === 'no_decision_check') return seeing(store, withoutDecisions);
  if (bug === 'hold_without_a_look_at_the_balance') return seeing(store, withoutLimits);
  if (bug === 'retry_that_is_not_idempotent') return postingAgain(store);
  return bug === 'rows_read_without_locks' ? readingFirst(store) : store;
}

/** After a lost acknowledgement the sums are posted again, without a look at what is there. */
function postingAgain(store: ShardStore): ShardStore {
  return {
    shard: store.shard,
    transact: async <R>(load: LoadRequest, decide: Decide<R>): Promise<R> => {
      let seen: Loaded | undefined;
      try {
        return await store.transact(load, (loaded) => {
          seen = loaded;
          return decide(loaded);
        });
      } catch (error) {
        if (!(error instanceof StoreError && error.outcomeUnknown && seen)) throw error;
        const first = seen;
        return store.transact(load, (loaded) => {
          const { accounts } = loaded;
          const { changes, result } = decide({ ...first, accounts });
          const { accountsUpdated, legs } = changes;
          return { changes: { ...NO_CHANGES, accountsUpdated, legs }, result };
        });
      }
    },
  };
}

function withoutDecisions(loaded: Loaded): Loaded {
  return { ...loaded, decisions: new Map() };
}

function withoutLimits(loaded: Loaded): Loaded {
  const limitless = Array.from(
    loaded.accounts,
    ([id, account]) => [id, { ...account, overdraftLimit: BOUNDLESS }] as const,
  );
  return { ...loaded, accounts: new Map(limitless) };
}

function withoutVoided(changes: Changes): Changes {
  if (!changes.events.some((event) => event.type === 'voided')) return changes;
  return { ...changes, events: changes.events.filter(({ type }) => type !== 'voided'), outbox: [] };
}

/** As INSERT IGNORE does: whoever presumes wrongly that a key is new makes a second transfer. */
function withoutKnownKeys(changes: Changes, { rows }: SimulatedShard): Changes {
  return { ...changes, keys: changes.keys.filter((key) => !rows.keys.has(keyOf(key))) };
}

function seeing(store: ShardStore, see: (loaded: Loaded) => Loaded): ShardStore {
  return {
    shard: store.shard,
    transact: (load, decide) => store.transact(load, (loaded) => decide(see(loaded))),
  };
}

function writing(store: ShardStore, write: (changes: Changes) => Changes): ShardStore {
  return {
    shard: store.shard,
    transact: (load, decide) =>
      store.transact(load, (loaded) => {
        const { changes, result } = decide(loaded);
        return { changes: write(changes), result };
      }),
  };
}

function readingFirst(store: ShardStore): ShardStore {
  return {
    shard: store.shard,
    transact: async <R>(load: LoadRequest, decide: Decide<R>): Promise<R> => {
      const seen = await store.transact(load, (loaded) => ({
        changes: NO_CHANGES,
        result: loaded,
      }));
      return store.transact(load, () => decide(seen));
    },
  };
}

function claimingFirst(store: ShardStore, life: Life): ShardStore {
  return {
    shard: store.shard,
    transact: async <R>(load: LoadRequest, decide: Decide<R>): Promise<R> => {
      const planned = await store.transact(load, (loaded) => {
        const decided = decide(loaded);
        const { keys, accountsUpdated } = decided.changes;
        const isClaim = keys.length > 0 && accountsUpdated.length === 0;
        const changes = isClaim ? { ...NO_CHANGES, keys } : decided.changes;
        return { changes, result: { ...decided, isClaim } };
      });
      if (!planned.isClaim) return planned.result;
      await life.roundTrip();
      const rest = { ...planned.changes, keys: [] };
      return store.transact({}, () => ({ changes: rest, result: planned.result }));
    },
  };
}
