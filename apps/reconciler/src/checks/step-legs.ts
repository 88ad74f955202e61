import { unbalancedSteps } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';

export const stepLegs: Check = {
  name: 'step-legs',
  promise: 'The legs of every step sum to zero.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('ledger_entries');
    await onEveryShard(scope, async (snapshot) => {
      for (const { transferId, step, sumMinor } of await unbalancedSteps(snapshot)) {
        findings.add({
          shard: snapshot.id,
          key: `transfer ${transferId} step ${step}`,
          problem: 'legs do not sum to zero',
          detail: { sum: sumMinor.toString() },
        });
      }
    });
  },
};
