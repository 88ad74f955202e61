import { SLOT_COUNT } from '@surety/domain';
import type { ShardId, SlotMap, SlotRange } from '@surety/domain';
import { StoreError } from '@surety/saga';
import type { SlotMaps } from '@surety/saga';
import { readRows } from './connection/session.js';
import type { Session } from './connection/session.js';
import { readBigint, readCount, readText } from './connection/cells.js';

interface Placement {
  readonly shard: ShardId;
  readonly map: SlotMap;
}

/** Caller: start and reload. Index: PRIMARY. Locks: none. Rows: at most one. */
export async function readPlacement(session: Session): Promise<Placement | undefined> {
  const sql = 'SELECT shard, epoch, slot_map FROM placement WHERE id = 1';
  const [placement] = await readRows(session, sql, ([shard, epoch, ranges]) => ({
    shard: readCount(shard),
    map: { epoch: readBigint(epoch), ranges: parseRanges(readText(ranges)) },
  }));
  return placement;
}

/** @throws StoreError where the text is no map that covers every slot. */
export function parseRanges(json: string): SlotRange[] {
  const ranges = JSON.parse(json) as SlotRange[];
  const isWellFormed =
    Array.isArray(ranges) &&
    ranges[0]?.fromSlot === 0 &&
    ranges.every(
      ({ fromSlot, shard }, index) =>
        Number.isInteger(shard) &&
        Number.isInteger(fromSlot) &&
        fromSlot < SLOT_COUNT &&
        (index === 0 || fromSlot > (ranges[index - 1] as SlotRange).fromSlot),
    );
  if (!isWellFormed) throw new StoreError('environment', 'a placement holds a malformed slot map');
  return ranges.map(({ fromSlot, shard }) => ({ fromSlot, shard }));
}

/** Keeps the newest map that was seen; it never goes back to an older one. */
export class SlotMapStore implements SlotMaps {
  readonly #sessions: readonly Session[];
  #current: SlotMap | undefined;

  constructor(sessions: readonly Session[]) {
    this.#sessions = sessions;
  }

  /** @throws StoreError before the first map was read. */
  current(): SlotMap {
    if (!this.#current) throw new StoreError('environment', 'no slot map was read yet');
    return this.#current;
  }

  /**
   * One answer is enough: a dead shard must not take the others along.
   * @throws StoreError where no shard answers, or one answers that it is another than its URL says.
   */
  async reload(): Promise<SlotMap> {
    const answers = await Promise.allSettled(this.#sessions.map(placementOf));
    for (const answer of answers) {
      if (answer.status !== 'fulfilled') continue;
      const { map } = answer.value;
      if (!this.#current || map.epoch > this.#current.epoch) this.#current = map;
    }
    const failures = answers.filter((answer) => answer.status === 'rejected');
    const misplaced = failures.find(({ reason }) => reason instanceof MisplacedShardError);
    if (misplaced) throw misplaced.reason;
    if (failures.length === answers.length) {
      throw new StoreError('environment', 'no shard answers', { cause: failures[0]?.reason });
    }
    return this.current();
  }
}

/** The list of shards is in the wrong order, or names a schema of another system. */
export class MisplacedShardError extends StoreError {}

async function placementOf(session: Session): Promise<Placement> {
  const placement = await readPlacement(session);
  if (!placement) {
    throw new StoreError('environment', `shard ${session.id} has no placement: migrate it first`);
  }
  if (placement.shard !== session.id) {
    const message = `the URL of shard ${session.id} leads to shard ${placement.shard}`;
    throw new MisplacedShardError('environment', message);
  }
  return placement;
}
