import { unbalancedSlots } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';

export const conservation: Check = {
  name: 'conservation',
  promise: 'The legs of every slot and currency sum to zero.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('ledger_entries');
    await onEveryShard(scope, async (snapshot) => {
      for (const { slot, currency, sumMinor, legs } of await unbalancedSlots(snapshot)) {
        findings.add({
          shard: snapshot.id,
          key: `slot ${slot} ${currency}`,
          problem: 'legs do not sum to zero',
          detail: { sum: sumMinor.toString(), legs },
        });
      }
    });
  },
};
