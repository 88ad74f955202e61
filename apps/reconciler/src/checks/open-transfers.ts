import { openTransferMismatches } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';

export const openTransfers: Check = {
  name: 'open-transfers',
  promise: 'Exactly the transfers that have not ended are listed as open.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('transfers', 'open_transfers');
    await onEveryShard(scope, async (snapshot) => {
      const rows = await openTransferMismatches(snapshot);
      for (const { transferId, state, isListedAsOpen } of rows) {
        findings.add({
          shard: snapshot.id,
          key: `transfer ${transferId}`,
          problem: isListedAsOpen ? 'is listed as open in error' : 'is open and not listed',
          detail: { state },
        });
      }
    });
  },
};
