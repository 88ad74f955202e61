import { shardOfSlot } from '@surety/domain';
import type { SlotMap } from '@surety/domain';
import { REAL_CLOCK } from '@surety/runtime';
import type { Clock, Logger, Metrics } from '@surety/runtime';
import { StoreError, requestAndFollow, requestTransfers } from '@surety/saga';
import type { RequestResult, ShardStore, TransferRequest } from '@surety/saga';
import { SAGA } from './saga-actor.js';

/** What one batch has for a shard: never torn apart between two transactions. */
export type Bundle = readonly TransferRequest[];

/**
 * How long bundles are stored alone after their steps could not be taken. A lock time-out costs three
 * seconds: paid by each group, it would hold up every batch of the shard for one account.
 */
const REST_MS = 10_000;

export interface BundleWritesOptions {
  /** How long the holds last that are taken with a bundle; undefined leaves all steps to workers. */
  readonly holdTimeoutMs: number | undefined;
  readonly metrics: Pick<Metrics, 'errorsTotal'>;
  readonly log: Logger | undefined;
  readonly clock?: Clock;
}

/**
 * Bundles of one shard, all that have gathered in one transaction. A bundle is what workers would have
 * to gather again behind the outbox, so the steps that follow here are taken with it (0075). They are
 * not worth a request: where they cannot be taken it is stored without, and workers take them.
 */
export class BundleWrites {
  private readonly options: BundleWritesOptions;
  private readonly clock: Clock;
  private restsUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: BundleWritesOptions) {
    this.options = options;
    this.clock = options.clock ?? REAL_CLOCK;
  }

  /**
   * @param map that the store goes by
   * @returns of each bundle its own results
   * @throws StoreError
   */
  async write(
    store: ShardStore,
    bundles: readonly Bundle[],
    map: SlotMap,
  ): Promise<readonly (readonly RequestResult[])[]> {
    const results = await this.store(store, bundles.flat(), map);
    let from = 0;
    return bundles.map(({ length }) => {
      from += length;
      return results.slice(from - length, from);
    });
  }

  private async store(
    store: ShardStore,
    requests: readonly TransferRequest[],
    map: SlotMap,
  ): Promise<readonly RequestResult[]> {
    const { holdTimeoutMs } = this.options;
    if (holdTimeoutMs === undefined || this.clock.nowMs() < this.restsUntilMs) {
      return requestTransfers(store, requests);
    }
    const continuesOn = (slot: number): boolean => shardOfSlot(map, slot) === store.shard;
    try {
      return await requestAndFollow(store, requests, { holdTimeoutMs, actor: SAGA, continuesOn });
    } catch (error) {
      if (!liesInTheSteps(error)) throw error;
      const results = await requestTransfers(store, requests);
      this.rest(store, error);
      return results;
    }
  }

  private rest({ shard }: ShardStore, error: unknown): void {
    const { metrics, log } = this.options;
    this.restsUntilMs = this.clock.nowMs() + REST_MS;
    metrics.errorsTotal.inc({ kind: 'batch_without_steps', shard: String(shard) });
    log?.warn('the steps of a batch could not be taken with it, workers take them', {
      ...{ shard, error, forMs: REST_MS },
    });
  }
}

/** Or may: a fault of the requests themselves shows where they are stored alone. */
function liesInTheSteps(error: unknown): boolean {
  return error instanceof StoreError && (error.refused || error.kind === 'data');
}
