export interface Isolated<Item, Result> {
  readonly done: readonly { readonly item: Item; readonly result: Result }[];
  readonly faulty: readonly { readonly item: Item; readonly error: unknown }[];
}

/**
 * Runs a batch as a whole, which is one transaction. Where that fails for the data's sake the batch
 * is halved until the items are known that fail alone, so that one of them never keeps the others
 * from going on. Items are run in their order.
 * @param isFault whether an error is the data's; every other error ends the whole call
 */
export async function isolate<Item, Result>(
  items: readonly Item[],
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  isFault: (error: unknown) => boolean,
): Promise<Isolated<Item, Result>> {
  const done: { item: Item; result: Result }[] = [];
  const faulty: { item: Item; error: unknown }[] = [];
  // A stack with the front part on top: items are done in their order.
  const parts = [items];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (part.length === 0) continue;
    try {
      const results = await run(part);
      part.forEach((item, at) => done.push({ item, result: results[at] as Result }));
    } catch (error) {
      if (!isFault(error)) throw error;
      const middle = Math.ceil(part.length / 2);
      if (part.length === 1) faulty.push({ item: part[0] as Item, error });
      else parts.push(part.slice(middle), part.slice(0, middle));
    }
  }
  return { done, faulty };
}
