import { NO_CHANGES } from '@surety/saga';
import type {
  AuditEntry,
  Changes,
  DecisionRow,
  HoldRow,
  KeyRow,
  LoadRequest,
  Loaded,
  ShardStore,
  TransferRow,
} from '@surety/saga';
import { aKeyHash, aTransferId, anAccount } from './builders.js';

const REQUESTED_AT = '2026-01-31T12:00:00.123456Z';
const LATER = '2026-02-01T00:00:00.654321Z';

/** Rows of a shard as the tables hold them; the same number gives the same rows. */
export function aKeyRow(n: number): KeyRow {
  return {
    slot: n,
    keyHash: aKeyHash(`contract-${n}`),
    fingerprint: `01${aKeyHash(`print-${n}`)}`,
    transferId: null,
    answer: null,
    createdAt: REQUESTED_AT,
    expiresAt: LATER,
  };
}

export function aTransferRow(n: number): TransferRow {
  const source = `contract-payer-${n}`;
  return {
    id: aTransferId(source, n),
    slot: anAccount(source).slot,
    kind: 'transfer',
    parentId: null,
    tenant: 'default',
    source,
    destination: `contract-payee-${n}`,
    amountMinor: 2n ** 53n + 1n,
    currency: 'EUR',
    capture: 'auto',
    state: 'requested',
    reason: null,
    requestedAt: REQUESTED_AT,
  };
}

export function aDecisionRow({
  id,
  source,
  destination,
  amountMinor,
  currency,
}: TransferRow): DecisionRow {
  const { slot } = anAccount(destination);
  const rest = { source, destination, amountMinor, currency };
  return { transferId: id, slot, decision: { outcome: 'credited' }, ...rest };
}

export function aHoldRow({ id, slot, source, amountMinor }: TransferRow): HoldRow {
  return { transferId: id, slot, account: source, amountMinor, expiresAt: LATER };
}

export function anEventRow({ id, slot }: TransferRow): Changes['events'][number] {
  const event = { transferId: id, step: 10, slot, type: 'requested' } as const;
  return { ...event, occurredAt: REQUESTED_AT, envelope: '{}' };
}

export function aTransferUpdate(
  { id, slot, requestedAt }: TransferRow,
  from: TransferRow['state'],
  to: TransferRow['state'],
): Changes['transfersUpdated'][number] {
  return { id, slot, requestedAt, from, to, reason: null };
}

export function anAuditEntry({ id, slot }: TransferRow): AuditEntry {
  const states = { before: { state: null }, after: { state: 'requested' } };
  return {
    actor: 'spec',
    action: 'spec.write',
    transferId: id,
    slot,
    reason: 'why not',
    ...states,
  };
}

export function writeRows(store: ShardStore, changes: Partial<Changes>): Promise<undefined> {
  return store.transact({}, () => ({
    changes: { ...NO_CHANGES, ...changes },
    result: undefined,
  }));
}

export function readRows(store: ShardStore, load: LoadRequest): Promise<Loaded> {
  return store.transact(load, (loaded) => ({ changes: NO_CHANGES, result: loaded }));
}
