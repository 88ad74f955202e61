import { STEP, isSystemAccountId, slotOfAccount, slotOfTransferId } from '@surety/domain';
import type { Step, TransferId } from '@surety/domain';
import type { ComparedTransfer, MisplacedRow, SlottedTable, TransferRecords } from '@surety/db';
import type { SlottedRow } from '../slots.js';
import type { TransferStory } from './story.js';

/**
 * Rows about a transfer in another slot than that of its id, its source or, on the other side, its
 * destination. Legs are held to the slot of what made them where they are compared with it.
 */
export function judgeSlots(story: TransferStory): readonly MisplacedRow[] {
  const rows = rowsOf(story);
  return rows.filter(({ slot, rightSlot }) => slot !== rightSlot);
}

function rowsOf({ id, transfer, decision, events, status }: TransferStory): MisplacedRow[] {
  const own = slotOfTransferId(id);
  const rows: MisplacedRow[] = [];
  const about = { id, step: null };
  if (transfer) rows.push({ ...about, table: 'transfers', ...transferSlots(transfer, own) });
  if (decision) {
    const { slot, destination } = decision;
    rows.push({ ...about, table: 'decisions', slot, rightSlot: slotOfAccount(destination) });
  }
  for (const { step, slot } of events.list) {
    const rightSlot = step === STEP.decide ? decision?.slot : own;
    // An event without its decision is told of elsewhere.
    if (rightSlot !== undefined) rows.push({ id, step, table: 'transfer_events', slot, rightSlot });
  }
  if (status) {
    rows.push({ ...about, table: 'transaction_status', slot: status.slot, rightSlot: own });
  }
  return rows;
}

/** A transfer lies where its id says, and so does its source, which the id was made from. */
function transferSlots(
  { slot, source }: ComparedTransfer,
  own: number,
): Pick<MisplacedRow, 'slot' | 'rightSlot'> {
  const isOwn = slot !== own || isSystemAccountId(source);
  return { slot, rightSlot: isOwn ? own : slotOfAccount(source) };
}

/** Rows about transfers whose slot is another shard's; of most there are none, and nothing is made. */
export function foreignRows(
  { transfers, events, decisions, legs, statuses }: TransferRecords,
  isForeign: (slot: number) => boolean,
): readonly SlottedRow[] {
  const rows: SlottedRow[] = [];
  const look = (table: SlottedTable, id: TransferId, step: Step | null, slot: number): void => {
    if (isForeign(slot)) rows.push({ table, id, step, slot });
  };
  for (const { transfer } of transfers) look('transfers', transfer.id, null, transfer.slot);
  for (const { transferId, step, slot } of events) look('transfer_events', transferId, step, slot);
  for (const { transferId, slot } of decisions) look('decisions', transferId, null, slot);
  for (const { transferId, step, slot } of legs) look('ledger_entries', transferId, step, slot);
  for (const { transferId, slot } of statuses) look('transaction_status', transferId, null, slot);
  return rows;
}
