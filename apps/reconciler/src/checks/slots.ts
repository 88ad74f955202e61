import { misplacedRows } from '@surety/db';
import type { MisplacedRow, SlottedTable } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';
import type { Finding } from './types.js';

/** A slot moves to another shard with all of its rows: one that says another slot stays behind. */
export const slots: Check = {
  name: 'slots',
  promise: 'Every row lies in the slot of its account or its transfer.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count(
      ...(['accounts', 'transfers', 'transfer_events', 'decisions', 'ledger_entries'] as const),
      ...(['idempotency_keys', 'balances', 'transaction_status'] as const),
    );
    await onEveryShard(scope, async (snapshot) => {
      for (const row of await misplacedRows(snapshot)) {
        findings.add({ shard: snapshot.id, ...misplaced(row) });
      }
    });
  },
};

const KEYS: Readonly<Record<SlottedTable, (row: MisplacedRow) => string>> = {
  accounts: ({ id }) => `account ${id}`,
  transfers: ({ id }) => `transfer ${id}`,
  transfer_events: ({ id, step }) => `event ${id}/${step}`,
  decisions: ({ id }) => `decision ${id}`,
  ledger_entries: ({ id, step }) => `transfer ${id} step ${step}`,
  idempotency_keys: ({ id, slot }) => `key ${slot}/${id}`,
  balances: ({ id }) => `balances ${id}`,
  transaction_status: ({ id }) => `transaction_status ${id}`,
};

const PROBLEMS: Readonly<Record<SlottedTable, string>> = {
  accounts: 'lies in another slot than its id says',
  transfers: 'lies in another slot than its id or its source says',
  transfer_events: 'lies in another slot than its transfer or its decision',
  decisions: 'lies in another slot than its destination',
  ledger_entries: 'has a leg in another slot than its account',
  idempotency_keys: 'lies in another slot than its transfer',
  balances: 'lies in another slot than its account',
  transaction_status: 'lies in another slot than its transfer',
};

/** The finding about a misplaced row, without its shard. */
export function misplaced(row: MisplacedRow): Omit<Finding, 'shard'> {
  const { table, slot, rightSlot } = row;
  return { key: KEYS[table](row), problem: PROBLEMS[table], detail: { slot, rightSlot } };
}
