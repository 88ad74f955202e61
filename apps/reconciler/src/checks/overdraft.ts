import { overdrawnAccounts } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';

export const overdraft: Check = {
  name: 'overdraft',
  promise: 'No account has less than nothing available.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('accounts');
    await onEveryShard(scope, async (snapshot) => {
      for (const { id, balance, held, overdraftLimit } of await overdrawnAccounts(snapshot)) {
        findings.add({
          shard: snapshot.id,
          key: `account ${id}`,
          problem: 'is overdrawn',
          detail: {
            balance: balance.toString(),
            held: held.toString(),
            overdraftLimit: overdraftLimit.toString(),
          },
        });
      }
    });
  },
};
