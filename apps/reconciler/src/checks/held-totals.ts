import { wrongHeld } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';

export const heldTotals: Check = {
  name: 'held-totals',
  promise: 'What an account holds is the sum of its holds.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('accounts', 'holds');
    await onEveryShard(scope, async (snapshot) => {
      for (const { id, held, holdsSum, holds } of await wrongHeld(snapshot)) {
        findings.add({
          shard: snapshot.id,
          key: `account ${id}`,
          problem: held === null ? 'has holds and does not exist' : 'held is not the sum of holds',
          detail: {
            held: held?.toString() ?? null,
            holdsSum: holdsSum.toString(),
            holds: holds.toString(),
          },
        });
      }
    });
  },
};
