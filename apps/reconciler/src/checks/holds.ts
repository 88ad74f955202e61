import { holdMismatches } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';

export const holds: Check = {
  name: 'holds',
  promise: 'Held transfers have exactly one hold, of their amount; others have none.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('holds', 'open_transfers');
    await onEveryShard(scope, async (snapshot) => {
      const rows = await holdMismatches(snapshot);
      for (const { transferId, state, amountMinor, holdMinor } of rows) {
        findings.add({
          shard: snapshot.id,
          key: `transfer ${transferId}`,
          problem: holdMinor === null ? 'is held without a hold' : 'has a hold that is not its own',
          detail: {
            state,
            amount: amountMinor?.toString() ?? null,
            hold: holdMinor?.toString() ?? null,
          },
        });
      }
    });
  },
};
