import { StoreError } from '@surety/saga';

export interface IsolatedFailure<Item> {
  readonly item: Item;
  readonly error: unknown;
}

export interface IsolatedResults<Item, Result> {
  readonly done: readonly { readonly item: Item; readonly result: Result }[];
  readonly failed: readonly IsolatedFailure<Item>[];
}

/** A failure of the shard, not of what was asked of it: trying the items one by one is no use. */
export function isShardAway(error: unknown): boolean {
  return error instanceof StoreError && error.kind !== 'data';
}

/**
 * Runs a batch in one transaction. Where it fails for the data's sake it is halved until the one
 * item is known, so that a broken row never keeps the sound ones from being repaired.
 * @throws what says that the shard itself is away; everything else comes back as `failed`.
 */
export async function isolate<Item, Result>(
  items: readonly Item[],
  run: (batch: readonly Item[]) => Promise<readonly Result[]>,
): Promise<IsolatedResults<Item, Result>> {
  if (items.length === 0) return { done: [], failed: [] };
  try {
    const results = await run(items);
    return { done: items.map((item, at) => ({ item, result: results[at] as Result })), failed: [] };
  } catch (error) {
    if (isShardAway(error)) throw error;
    if (items.length === 1) return { done: [], failed: [{ item: items[0] as Item, error }] };
  }
  const middle = Math.ceil(items.length / 2);
  const first = await isolate(items.slice(0, middle), run);
  const second = await isolate(items.slice(middle), run);
  return {
    done: [...first.done, ...second.done],
    failed: [...first.failed, ...second.failed],
  };
}
