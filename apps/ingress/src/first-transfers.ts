import { listKeys, listTransfers } from '@surety/db';
import { slotOfTransferId } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { keyOf } from '@surety/saga';
import type { KeyRef, KeyRow, TransferRow } from '@surety/saga';
import { GatheredReads } from './gathered-reads.js';
import type { ShardDoors } from './shard-doors.js';

/** What earlier requests have made. */
export interface FirstTransfers {
  read(id: TransferId): Promise<TransferRow | undefined>;
  /** The transfer that this very request has made under its key; undefined where it was not used so. */
  under(key: KeyRef, fingerprint: string): Promise<TransferRow | undefined>;
}

/** As the shards have them: what is asked for at the same time is one question to each. */
export class StoredFirstTransfers implements FirstTransfers {
  readonly #transfers: GatheredReads<TransferId, TransferRow>;
  readonly #keys: GatheredReads<string, KeyRow>;

  constructor(doors: Pick<ShardDoors, 'shardOf' | 'readMany'>) {
    this.#transfers = new GatheredReads({
      doors,
      slotOf: slotOfTransferId,
      query: async (shard, ids) =>
        new Map((await listTransfers(shard, ids)).map((row) => [row.id, row])),
    });
    this.#keys = new GatheredReads({
      doors,
      slotOf: (key) => refOf(key).slot,
      query: (shard, keys) => listKeys(shard, keys.map(refOf)),
    });
  }

  /** @throws ShardUnavailable, StoreError; QueueFullError where too many wait already */
  read(id: TransferId): Promise<TransferRow | undefined> {
    return this.#transfers.read(id);
  }

  /** Like `read`. */
  async under(key: KeyRef, fingerprint: string): Promise<TransferRow | undefined> {
    const row = await this.#keys.read(keyOf(key));
    const isSame = row?.fingerprint === fingerprint && row.transferId !== null;
    return isSame ? this.read(row.transferId) : undefined;
  }
}

/** What `keyOf` was made from. */
function refOf(key: string): KeyRef {
  const [slot, keyHash = ''] = key.split('/');
  return { slot: Number(slot), keyHash };
}
