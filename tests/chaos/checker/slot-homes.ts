import { crc32 } from 'node:zlib';
import { integer, text } from './cells.js';
import type { ShardReader } from './shard-reader.js';

const SLOT_COUNT = 4096;

interface SlotRange {
  readonly fromSlot: number;
  readonly shard: number;
}

/**
 * Where an account lies or would lie: the documented arithmetic (crc32 of its id, mod 4096) and the
 * slot map of the newest epoch that a shard holds, written down once more.
 */
export class SlotHomes {
  #epoch = -1n;
  #ranges: readonly SlotRange[] = [];

  async read(reader: ShardReader): Promise<void> {
    for await (const row of reader.rows('SELECT epoch, slot_map FROM placement')) {
      const epoch = integer(row, 'epoch');
      if (epoch <= this.#epoch) continue;
      this.#epoch = epoch;
      this.#ranges = JSON.parse(text(row, 'slot_map')) as SlotRange[];
    }
  }

  /** The number of the shard; undefined where no shard holds a map. */
  of(account: string): number | undefined {
    const slot = crc32(account) % SLOT_COUNT;
    return this.#ranges.findLast(({ fromSlot }) => fromSlot <= slot)?.shard;
  }
}
