import { keysWithoutResult, transfersWithoutKey } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';

export const keys: Check = {
  name: 'keys',
  promise: 'Every idempotency key names its transfer or account, every young transfer has its key.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('idempotency_keys', 'transfers');
    await onEveryShard(scope, async (snapshot) => {
      for (const { slot, keyHash, transferId } of await keysWithoutResult(snapshot)) {
        findings.add({
          shard: snapshot.id,
          key: `key ${slot}/${keyHash}`,
          problem:
            transferId === null
              ? 'names no account that exists'
              : 'names a transfer that does not exist',
          detail: { transfer: transferId },
        });
      }
      for (const { slot, transferId } of await transfersWithoutKey(snapshot)) {
        findings.add({
          shard: snapshot.id,
          key: `transfer ${transferId}`,
          problem: 'is named by no idempotency key',
          detail: { slot },
        });
      }
    });
  },
};
