import { SLOT_COUNT, shardOfSlot } from '@surety/domain';
import type { ShardId, SlotMap } from '@surety/domain';
import { misplacedRows } from '@surety/db';
import type { MisplacedRow, SlottedTable } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';
import type { Finding } from './types.js';

/**
 * A slot moves to another shard with all of its rows: one that says another slot stays behind, and
 * nobody looks for one that did. A copy of it would agree with every other check.
 */
export const slots: Check = {
  name: 'slots',
  promise: 'Every row lies in the slot of its account or its transfer, on the shard of the slot.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count(
      ...(['accounts', 'transfers', 'transfer_events', 'decisions', 'ledger_entries'] as const),
      ...(['idempotency_keys', 'balances', 'transaction_status'] as const),
    );
    await onEveryShard(scope, async (snapshot) => {
      const shard = snapshot.id;
      for (const row of await misplacedRows(snapshot, scope.map)) {
        const isAstray = row.rightSlot !== null && row.slot !== row.rightSlot;
        const carrier = isAstray ? undefined : otherCarrier(scope.map, shard, row.slot);
        findings.add({
          shard,
          ...(carrier === undefined ? misplaced(row) : foreign(row, carrier)),
        });
      }
    });
  },
};

/** What a row is called, and the slot that it says. */
export type SlottedRow = Pick<MisplacedRow, 'table' | 'id' | 'step' | 'slot'>;

const KEYS: Readonly<Record<SlottedTable, (row: SlottedRow) => string>> = {
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

/** The shard that carries the slot, where that is another one. */
export function otherCarrier(map: SlotMap, shard: ShardId, slot: number): ShardId | undefined {
  if (slot >= SLOT_COUNT) return undefined;
  const carrier = shardOfSlot(map, slot);
  return carrier === shard ? undefined : carrier;
}

/** The finding about a row that lies on a shard which does not carry its slot, without that shard. */
export function foreign(row: SlottedRow, carrier: ShardId): Omit<Finding, 'shard'> {
  const { table, slot } = row;
  const problem = 'lies on another shard than the one that carries its slot';
  return { key: KEYS[table](row), problem, detail: { slot, carrier } };
}
