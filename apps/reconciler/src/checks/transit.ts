import { settlementSums, transitSums } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';

interface Sums {
  transitMinor: bigint;
  creditedMinor: bigint;
  committedMinor: bigint;
}

export const transit: Check = {
  name: 'transit',
  promise: 'Over all shards, transit is what is credited and not yet committed, negative.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('ledger_entries', 'decisions', 'transfers');
    const totals = new Map<string, Sums>();
    const totalOf = (currency: string): Sums => {
      const sums = totals.get(currency) ?? {
        transitMinor: 0n,
        creditedMinor: 0n,
        committedMinor: 0n,
      };
      totals.set(currency, sums);
      return sums;
    };
    await onEveryShard(scope, async (snapshot) => {
      for (const { currency, sumMinor } of await transitSums(snapshot)) {
        totalOf(currency).transitMinor += sumMinor;
      }
      for (const sums of await settlementSums(snapshot)) {
        totalOf(sums.currency).creditedMinor += sums.creditedMinor;
        totalOf(sums.currency).committedMinor += sums.committedMinor;
      }
    });
    for (const [currency, { transitMinor, creditedMinor, committedMinor }] of totals) {
      if (transitMinor === committedMinor - creditedMinor) continue;
      findings.add({
        shard: null,
        key: `transit ${currency}`,
        problem: 'is not what is credited and not committed',
        detail: {
          transit: transitMinor.toString(),
          credited: creditedMinor.toString(),
          committed: committedMinor.toString(),
        },
      });
    }
  },
};
