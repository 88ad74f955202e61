import { slotOfAccount } from '@surety/domain';
import type { AccountId, TransferId } from '@surety/domain';
import type { Envelope } from './envelope.js';

/** What the specs of this package share; nothing else imports it. A hold, with what a case changes. */
export function aHeldEvent(
  { id, source, destination }: { id: TransferId; source: AccountId; destination: AccountId },
  fields: object,
  data: object,
): Envelope {
  return {
    id: `${id}/20`,
    type: 'held',
    schema: 1,
    transferId: id,
    step: 20,
    sourceSlot: slotOfAccount(source),
    destinationSlot: slotOfAccount(destination),
    requestedAt: '2026-01-31T10:15:30.123456Z',
    occurredAt: '2026-01-31T10:15:30.223456Z',
    actor: 'saga',
    causation: `${id}/10`,
    traceparent: null,
    accounts: [{ id: source, balance: '10000', held: '3000', version: '2' }],
    data: { kind: 'transfer', source, destination, amount: '3000', currency: 'EUR', ...data },
    ...fields,
  };
}
