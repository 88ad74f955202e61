import type { Envelope } from '@surety/contracts';
import type { Shard } from '@surety/db';
import { oldestMapOf } from '@surety/domain';
import type { SlotMap } from '@surety/domain';
import { CHANNELS } from '@surety/runtime';
import type { Clock, Doorbell, Logger, Metrics } from '@surety/runtime';
import {
  followDecisions,
  fundAccounts,
  isActionable,
  openAccounts,
  requestTransfers,
  stepNameOf,
  voidTransfers,
} from '@surety/saga';
import type {
  AccountOpening,
  FundingRequest,
  FundingResult,
  OpeningResult,
  RequestResult,
  ShardStore,
  StepResult,
  TransferRequest,
  VoidRequest,
  VoidResult,
} from '@surety/saga';
import { BundleWrites } from './bundle-writes.js';
import type { Bundle } from './bundle-writes.js';
import { ComparedGate } from './compared-gate.js';
import { GroupCommit } from './group-commit.js';
import type { Gate, GroupCommitOptions } from './group-commit.js';
import { SAGA } from './saga-actor.js';
import { ShardGate } from './shard-gate.js';
import type { ShardGateOptions } from './shard-gate.js';
import type { StoredCurrencies } from './stored-currencies.js';

export interface DoorOptions {
  readonly queueMax: number;
  readonly doorbell: Doorbell;
  readonly metrics: Metrics;
  /**
   * How long a hold lasts that is taken with a batch. Default: none is taken, and all steps are the
   * workers'.
   */
  readonly holdTimeoutMs?: number;
  /** Told when steps could not be taken with their batch. */
  readonly log?: Logger;
  /** Default: none, and every shard is taken to agree. */
  readonly storedCurrencies?: Pick<StoredCurrencies, 'isCompared' | 'compare' | 'remember'>;
  readonly resetTimeoutMs?: number;
  readonly clock?: Clock;
  /** Default: a breaker, which keeps time by itself. */
  readonly makeGate?: (options: ShardGateOptions) => Gate;
}

/** Transfers of one transaction of batches, each with up to four events; a larger bundle goes alone. */
const BUNDLE_GROUP_MAX = 500;
/** Bundles that may wait for one shard: each may be as large as the group's bound. */
const BUNDLES_WAITING_MAX = 8;

/** Work with the map that led it here: there may be a newer one while it queues. */
export interface Routed<Item> {
  readonly item: Item;
  readonly map: SlotMap;
}

/** One shard's gate and, behind it, a queue for each kind of write. */
export interface Door {
  readonly shard: Shard;
  readonly gate: Gate;
  readonly transfers: GroupCommit<Routed<TransferRequest>, RequestResult>;
  readonly bundles: GroupCommit<Routed<Bundle>, readonly RequestResult[]>;
  readonly fundings: GroupCommit<Routed<FundingRequest>, FundingResult>;
  readonly openings: GroupCommit<Routed<AccountOpening>, OpeningResult>;
  readonly voids: GroupCommit<Routed<VoidRequest>, VoidResult>;
  readonly ends: GroupCommit<Routed<Envelope>, StepResult>;
}

type Bounds<Item> = Pick<GroupCommitOptions<Item, unknown>, 'queueMax' | 'groupMax' | 'weigh'>;

/** @param map that the store goes by */
type Write<Item, Result> = (
  store: ShardStore,
  items: readonly Item[],
  map: SlotMap,
) => Promise<readonly Result[]>;

export function openDoor(shard: Shard, options: DoorOptions): Door {
  const { metrics, queueMax, clock } = options;
  const label = { shard: String(shard.id) };
  const gate = openGate(shard, options);
  const record = new WriteRecord(shard, options);
  const groupOf = <Item, Result>(
    write: Write<Item, Result>,
    committed: (results: readonly Result[]) => void,
    bounds: Bounds<Routed<Item>> = { queueMax },
  ): GroupCommit<Routed<Item>, Result> =>
    new GroupCommit<Routed<Item>, Result>({
      gate,
      ...bounds,
      ...(clock ? { clock } : {}),
      run: (group) => {
        const map = oldestMapOf(group.map((one) => one.map));
        const items = group.map(({ item }) => item);
        return write(shard.store.at(map.epoch), items, map);
      },
      committed,
    });
  const writes = new BundleWrites({
    ...{ metrics, holdTimeoutMs: options.holdTimeoutMs, log: options.log },
    ...(clock ? { clock } : {}),
  });
  const transfers = groupOf(requestTransfers, (results) => {
    record.kinds('request', results);
    metrics.queueDepth.set(label, transfers.depth);
  });
  return {
    shard,
    gate,
    transfers,
    bundles: groupOf(
      (store, bundles: readonly Bundle[], map) => writes.write(store, bundles, map),
      (results) => {
        record.bundles(results.flat());
      },
      {
        queueMax: BUNDLES_WAITING_MAX,
        groupMax: BUNDLE_GROUP_MAX,
        weigh: ({ item }: Routed<Bundle>) => item.length,
      },
    ),
    fundings: groupOf(fundAccounts, (results) => {
      record.kinds('funding', results);
    }),
    openings: groupOf(
      async (store, openings: readonly AccountOpening[]) => {
        const codes = openings.map(({ currency }) => currency);
        await options.storedCurrencies?.remember(shard.id, codes);
        return openAccounts(store, openings);
      },
      (results) => {
        record.kinds('opening', results);
      },
    ),
    voids: groupOf(voidTransfers, (results) => {
      record.voids(results);
    }),
    ends: groupOf(
      (store, decided: readonly Envelope[]) => followDecisions(store, decided, SAGA),
      (results) => {
        record.ends(results);
      },
    ),
  };
}

function openGate({ id }: Shard, options: DoorOptions): Gate {
  const { metrics, resetTimeoutMs, storedCurrencies } = options;
  const { makeGate = (wanted: ShardGateOptions) => new ShardGate(wanted) } = options;
  const label = { shard: String(id) };
  metrics.breakerOpen.set(label, 0);
  const gate = makeGate({
    shard: id,
    opened: (isOpen) => {
      metrics.breakerOpen.set(label, isOpen ? 1 : 0);
    },
    ...(resetTimeoutMs === undefined ? {} : { resetTimeoutMs }),
  });
  if (!storedCurrencies || storedCurrencies.isCompared(id)) return gate;
  return new ComparedGate(gate, storedCurrencies);
}

/** Told after each commit: rings for the relay and counts what was done. */
class WriteRecord {
  private readonly shard: Shard;
  private readonly options: DoorOptions;

  constructor(shard: Shard, options: DoorOptions) {
    this.shard = shard;
    this.options = options;
  }

  kinds(step: string, results: readonly { readonly kind: string }[]): void {
    this.committed(results.length);
    for (const { kind } of results) this.count(step, kind);
  }

  voids(results: readonly VoidResult[]): void {
    this.committed(results.length);
    for (const { voided } of results) this.count('void', voided ? 'voided' : 'already_applied');
  }

  bundles(results: readonly RequestResult[]): void {
    this.kinds('request', results);
    for (const result of results) {
      if (result.kind === 'accepted') this.steps(result.events ?? []);
    }
  }

  /** The last step of a cancelled transfer; of a credited one, where the cancel came too late. */
  ends(results: readonly StepResult[]): void {
    this.committed(results.length);
    for (const result of results) {
      if (result.kind === 'applied') this.steps(result.events);
      else this.count('release', result.kind);
    }
  }

  private steps(events: readonly Envelope[]): void {
    const { endToEndSeconds } = this.options.metrics;
    for (const event of events) {
      const { type, requestedAt } = event;
      this.count(stepNameOf(event), type);
      if (isActionable(event)) continue;
      // The request may have been stamped by a clock that is ahead of this one.
      const seconds = Math.max(0, Date.now() - Date.parse(requestedAt)) / 1000;
      endToEndSeconds.observe({ outcome: type }, seconds);
    }
  }

  private committed(count: number): void {
    const { doorbell, metrics } = this.options;
    doorbell.ring(CHANNELS.outbox(this.shard.id));
    metrics.batchItems.observe({ unit: 'ingress' }, count);
  }

  private count(step: string, outcome: string): void {
    this.options.metrics.stepsTotal.inc({ step, outcome, shard: String(this.shard.id) });
  }
}
