import type { StoredCurrency } from '@surety/domain';
import type { Session } from './connection/session.js';
import { listStoredCurrencies } from './statements/currencies/list-stored-currencies.js';

/** What the shards that answer have written down; those that are away are passed over. */
export async function storedCurrencies(
  shards: readonly Session[],
): Promise<readonly StoredCurrency[]> {
  const answers = await Promise.allSettled(
    shards.map(async (shard) => {
      const stored = await listStoredCurrencies(shard);
      return stored.map((currency) => ({ ...currency, shard: shard.id }));
    }),
  );
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}
