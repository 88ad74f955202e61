import { randomBytes } from 'node:crypto';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { composeTransferId, firstTransferIdOf, slotOfAccount } from '@surety/domain';
import type { AccountId, TransferId, TransferStatus } from '@surety/domain';
import { findTransfer, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import {
  applySteps,
  fundAccounts,
  openAccounts,
  requestTransfers,
  voidTransfers,
} from '@surety/saga';
import { aDeposit, aTransferRequest, anAccountIdOn, anOpening, eur } from './builders.js';
import { createTestShards } from './shards.js';
import type { TestShards } from './shards.js';

const OPTIONS = { holdTimeoutMs: 3_600_000, actor: 'saga' };
const TABLES = [
  ...['accounts', 'transfers', 'open_transfers', 'holds', 'transfer_events', 'decisions'],
  ...['ledger_entries', 'idempotency_keys', 'outbox', 'balances', 'transaction_status'],
  ...['verified_points', 'verified_accounts', 'verified_open_transfers', 'audit_log', 'placement'],
];

/** How far a transfer of a spec gets. */
export type Goal = TransferStatus | 'credited';

/** Open transfers with ids of long ago are listed, those of now are behind the end of the list. */
const LISTED_BELOW = firstTransferIdOf(Date.UTC(2026, 0, 1));

/** A payer on one shard, a payee on another, and an account that does nothing, for specs. */
export interface PayerAndPayee {
  readonly shards: TestShards;
  readonly source: Shard;
  readonly destination: Shard;
  readonly payer: AccountId;
  readonly payee: AccountId;
  readonly idle: AccountId;
  /** An id of this moment, as ingress makes them. */
  idOfNow(): TransferId;
  /** `n` keeps keys apart; the id is of long ago unless another one is given. */
  transferIn(goal: Goal, n: number, id?: TransferId): Promise<TransferId>;
  advance(id: TransferId, goal: Goal): Promise<void>;
  /** Writes what the projector would have written by now. */
  project(): Promise<void>;
  /** Remembers all rows as they are; `heal` puts them back. */
  remember(): Promise<void>;
  heal(): Promise<void>;
}

export async function aPayerAndPayee(): Promise<PayerAndPayee> {
  const shards = await createTestShards({ count: 2 });
  const [source, destination] = shards.pools.shards as [Shard, Shard];
  const accountOn = (shard: number, prefix: string): AccountId =>
    anAccountIdOn(shards.pools.slotMaps.current(), shard, prefix);
  const payer = accountOn(0, 'payer');
  const payee = accountOn(1, 'payee');
  const nobody = accountOn(1, 'nobody');
  const idle = accountOn(0, 'idle');
  await openAccounts(source.store, [anOpening(payer), anOpening(idle)]);
  await openAccounts(destination.store, [anOpening(payee)]);
  await fundAccounts(source.store, [
    aDeposit(payer, eur(1_000_00), 1),
    aDeposit(idle, eur(5_00), 2),
  ]);
  const walk = { source, destination, payer, payee, nobody };
  const everywhere = (statements: readonly string[]): Promise<unknown> =>
    Promise.all(shards.pools.shards.map((shard) => shard.send(statements)));
  await everywhere([`UPDATE placement SET listed_below = ${hex(LISTED_BELOW)}`]);
  return {
    ...{ shards, source, destination, payer, payee, idle },
    idOfNow: () => composeTransferId(Date.now(), slotOfAccount(payer), randomBytes(8)),
    transferIn: (goal, n, id) => transferIn(walk, goal, { n, id }),
    advance: (id, goal) => advance(walk, id, goal),
    project: async () => {
      await everywhere(PROJECT);
    },
    remember: async () => {
      await everywhere(
        TABLES.map((table) => `CREATE TABLE healthy_${table} AS SELECT * FROM ${table}`),
      );
    },
    heal: async () => {
      await everywhere(
        TABLES.flatMap((table) => [
          `DELETE FROM ${table}`,
          `INSERT INTO ${table} SELECT * FROM healthy_${table}`,
        ]),
      );
    },
  };
}

const PROJECT = [
  'REPLACE INTO balances SELECT id, slot, currency, balance, held, version, NOW(6) ' +
    'FROM accounts WHERE version > 0',
  'REPLACE INTO transaction_status SELECT t.id, t.slot, t.state, t.reason, MAX(e.step), NOW(6) ' +
    'FROM transfers AS t JOIN transfer_events AS e ON e.transfer_id = t.id AND e.step <> 30 ' +
    // A history that a spec fills in by SQL brings its projections along.
    "WHERE t.requested_at > '2021-01-01' AND t.state IN ('committed', 'rejected', 'cancelled') " +
    'GROUP BY t.id, t.slot, t.state, t.reason',
];

interface Walk {
  readonly source: Shard;
  readonly destination: Shard;
  readonly payer: AccountId;
  readonly payee: AccountId;
  readonly nobody: AccountId;
}

async function transferIn(
  walk: Walk,
  goal: Goal,
  { n, id }: { n: number; id: TransferId | undefined },
): Promise<TransferId> {
  const { source, payer, payee, nobody } = walk;
  const to = goal === 'rejected' ? nobody : payee;
  const fields = aTransferRequest({ n, source: payer, destination: to, amount: eur(10_00) });
  const request = { ...fields, transferId: id ?? fields.transferId };
  await requestTransfers(source.store, [request]);
  await advance(walk, request.transferId, goal);
  return request.transferId;
}

async function advance({ source, destination }: Walk, id: TransferId, goal: Goal): Promise<void> {
  const row = await findTransfer(source, id);
  if (row?.state === 'requested') {
    if (goal === 'requested') return;
    await applySteps(source.store, [await eventOn(source, id, 10)], OPTIONS);
  }
  if (goal === 'held') return;
  const cause = await eventOn(source, id, 20);
  if (goal === 'cancelled') {
    await voidTransfers(destination.store, [{ cause, reason: 'hold_expired', actor: 'saga' }]);
  } else {
    await applySteps(destination.store, [cause], OPTIONS);
  }
  if (goal === 'credited') return;
  await applySteps(source.store, [await eventOn(destination, id, 30)], OPTIONS);
  const state = (await findTransfer(source, id))?.state;
  if (state !== goal) throw new Error(`transfer ${id} is ${state} instead of ${goal}`);
}

async function eventOn(shard: Shard, id: TransferId, step: number): Promise<Envelope> {
  const rows = await readTimeline(shard, id);
  const row = rows.find((one) => one.step === step);
  if (!row) throw new Error(`there is no event ${id}/${step}`);
  return readEnvelope(row.envelope);
}

export function hex(id: TransferId): string {
  return `x'${id.replaceAll('-', '')}'`;
}
