import type { SlotMap } from '@surety/domain';
import { StoreError } from '@surety/saga';
import type { SlotMaps } from '@surety/saga';
import type { Life } from './process.js';
import type { SimulatedShard } from './simulated-shard.js';

/** The newest map that one life of a process has seen; it begins with what some shard says. */
export class SimulatedSlotMaps implements SlotMaps {
  readonly #life: Life;
  readonly #shards: readonly SimulatedShard[];
  #current: SlotMap;

  constructor(life: Life, shards: readonly SimulatedShard[]) {
    this.#life = life;
    this.#shards = shards;
    this.#current = life.kernel.random.pick(shards).map;
  }

  current(): SlotMap {
    return this.#current;
  }

  async reload(): Promise<SlotMap> {
    const answers = await Promise.allSettled(
      this.#shards.map((shard) => shard.statement(this.#life, () => shard.map)),
    );
    const maps = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (maps.length === 0) throw new StoreError('environment', 'no shard answers');
    for (const map of maps) if (map.epoch > this.#current.epoch) this.#current = map;
    return this.#current;
  }
}
