import { slotOfTransferId } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import type { PatrolContext, PatrolShard } from './ports.js';
import type { Suspects } from './suspects.js';
import { PAGE_MAX, walkTransfers } from './walk.js';
import type { Positions } from './walk.js';

/** How long a decision must have been seen without its transfer before it is an alarm. */
export const STRAY_AGE_MS = 60_000;
/** Bounds the memory of what was told of. */
const TOLD_MAX = 10_000;

/**
 * Decisions of this shard whose transfer its source does not know. A request is committed before
 * anything is decided on it, so this means that the source has lost what it once had: nothing is
 * repaired, a person must look. A source that is away is asked another time.
 */
export class StrayDecisions {
  readonly #suspects: Suspects<TransferId>;
  /** Those that were told of: once is enough, the metric says how many there are. */
  readonly #told = new Set<TransferId>();

  constructor(suspects: Suspects<TransferId>) {
    this.#suspects = suspects;
  }

  async find(context: PatrolContext, walk: { now: string; positions: Positions }): Promise<void> {
    const { shard, listener } = context;
    await walkTransfers({ name: 'decisions', ...walk }, async (after) => {
      const page = await shard.decided(after, PAGE_MAX);
      const ids = page.map(({ transferId }) => transferId);
      for (const id of await missingOf(context, ids)) this.#suspects.seen(id, id);
      return page.length < PAGE_MAX ? undefined : ids.at(-1);
    });
    const strays = await this.#confirmed(context, this.#suspects.due(PAGE_MAX));
    listener.strays(shard.id, strays.length);
    for (const id of strays) this.#tell(context, id);
  }

  /** Asked once more after their time, by a map that was read just now. */
  async #confirmed(
    context: PatrolContext,
    due: readonly TransferId[],
  ): Promise<readonly TransferId[]> {
    if (due.length === 0) return [];
    await context.refreshMap();
    const missing = new Set(await missingOf(context, due));
    for (const id of due) if (!missing.has(id)) this.#suspects.forget(id);
    return [...missing];
  }

  #tell({ shard, listener }: PatrolContext, id: TransferId): void {
    if (this.#told.has(id) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(id);
    listener.trouble({
      kind: 'stray_decision',
      shard: shard.id,
      transferId: id,
      message: `shard ${shard.id} has decided on a transfer that its source does not know`,
    });
  }
}

/** Those that their sources, as far as they answer, do not know. */
async function missingOf(
  context: PatrolContext,
  ids: readonly TransferId[],
): Promise<readonly TransferId[]> {
  const missing: TransferId[] = [];
  for (const [source, asked] of bySource(context, ids)) {
    const known = await knownAt(source, asked);
    if (known) missing.push(...asked.filter((id) => !known.has(id)));
  }
  return missing;
}

async function knownAt(
  source: PatrolShard,
  ids: readonly TransferId[],
): Promise<ReadonlySet<TransferId> | undefined> {
  // A source that does not answer is no evidence, and the sweeps tell that it is away.
  return source.known(ids).catch(() => undefined);
}

function bySource(
  context: PatrolContext,
  ids: readonly TransferId[],
): ReadonlyMap<PatrolShard, readonly TransferId[]> {
  const groups = new Map<PatrolShard, TransferId[]>();
  for (const id of new Set(ids)) {
    const source = context.shardOf(slotOfTransferId(id));
    const group = groups.get(source);
    if (group) group.push(id);
    else groups.set(source, [id]);
  }
  return groups;
}
