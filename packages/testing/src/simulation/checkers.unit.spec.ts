import { describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { evenSlotMap, shardOfSlot } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import {
  actingSlot,
  applySteps,
  fundAccounts,
  isActionable,
  openAccounts,
  requestTransfers,
} from '@surety/saga';
import { aDeposit, aTransferRequest, anAccountIdOn, anOpening, eur } from '../builders.js';
import { brokenPromises, transitSums } from '../conservation.js';
import { MemoryShardStore } from '../memory-store.js';
import type { MemoryRows } from '../memory-store.js';
import { illegalHistory } from './histories.js';

const MAP = evenSlotMap(2);
const PAYER = anAccountIdOn(MAP, 0, 'payer');
const PAYEE = anAccountIdOn(MAP, 1, 'payee');
const NOW_MS = Date.parse('2026-01-31T10:00:00Z');

type Types = readonly Envelope['type'][];
const ALL: Types = ['requested', 'held', 'credited', 'refused'];

/** Two shards after one transfer whose events of these types were delivered. */
class Ledger {
  readonly stores = [0, 1].map((id) => new MemoryShardStore(id, () => NOW_MS));
  readonly id: TransferId;
  readonly #delivered: Types;

  private constructor(delivered: Types, destination: string) {
    this.#delivered = delivered;
    this.id = this.#request(destination).transferId;
  }

  static async after(delivered: Types, destination = PAYEE): Promise<Ledger> {
    const ledger = new Ledger(delivered, destination);
    const [source, other] = ledger.stores as [MemoryShardStore, MemoryShardStore];
    await openAccounts(source, [anOpening(PAYER)]);
    await openAccounts(other, [anOpening(PAYEE)]);
    await fundAccounts(source, [aDeposit(PAYER, eur(100), 1)]);
    await requestTransfers(source, [ledger.#request(destination)]);
    await ledger.#drive();
    return ledger;
  }

  get rows(): [MemoryRows, MemoryRows] {
    return this.stores.map(({ rows }) => rows) as [MemoryRows, MemoryRows];
  }

  /** What every checker says about it. */
  get wrong(): string[] {
    const transit = [...transitSums(this.rows)].filter(([, sum]) => sum !== 0n);
    return [
      ...this.rows.flatMap((rows) => brokenPromises(rows)),
      ...illegalHistory(this.id, this.rows),
      ...transit.map(([currency, sum]) => `${sum} ${currency} in transit`),
    ];
  }

  #request(destination: string): ReturnType<typeof aTransferRequest> {
    return aTransferRequest({ n: 7, source: PAYER, destination, amount: eur(60) });
  }

  async #drive(): Promise<void> {
    for (let events = -1; events !== this.#events().length;) {
      events = this.#events().length;
      for (const event of this.#events()) {
        if (!isActionable(event) || !this.#delivered.includes(event.type)) continue;
        const store = this.stores[shardOfSlot(MAP, actingSlot(event))] as MemoryShardStore;
        await applySteps(store, [event], { holdTimeoutMs: 1, actor: 'saga' });
      }
    }
  }

  #events(): Envelope[] {
    return this.rows.flatMap((rows) =>
      [...rows.events.values()].map(({ envelope }) => readEnvelope(envelope)),
    );
  }
}

function change<Key, Row>(rows: Map<Key, Row>, key: Key, fields: Partial<Row>): void {
  rows.set(key, { ...(rows.get(key) as Row), ...fields });
}

type Lie = (ledger: Ledger) => void;

/** One lie each, and what must be said of it. */
const AFTER_THE_END: [string, Lie][] = [
  [
    'sums to',
    ({ rows: [source] }) => {
      source.legs[0] = { ...source.legs[0]!, minor: 1n };
    },
  ],
  [
    'in transit',
    ({ rows: [source] }) => {
      const at = source.legs.findIndex(({ account }) => account.startsWith('~transit:'));
      source.legs.splice(at, 1);
    },
  ],
  [': balance', ({ rows: [source] }) => change(source.accounts, PAYER, { balance: 41n })],
  [': held', ({ rows: [source] }) => change(source.accounts, PAYER, { held: 1n })],
  ['entry_seq is off', ({ rows: [source] }) => change(source.accounts, PAYER, { entrySeq: 9n })],
  ['is overdrawn', ({ rows: [source] }) => change(source.accounts, PAYER, { held: 41n })],
  ['open_transfers is off', ({ id, rows: [source] }) => source.openTransfers.add(id)],
  [
    'lies on two shards',
    ({ id, rows: [source, other] }) => other.transfers.set(id, source.transfers.get(id)!),
  ],
  [
    'was decided twice',
    ({ id, rows: [source, other] }) => source.decisions.set(id, other.decisions.get(id)!),
  ],
  ['was posted twice', ({ rows: [, other] }) => other.legs.push(...other.legs)],
  ['has events and no transfer', ({ id, rows: [source] }) => source.transfers.delete(id)],
  [
    'is cancelled, its last event committed',
    ({ id, rows: [source] }) => change(source.transfers, id, { state: 'cancelled' }),
  ],
  ['decision is undefined', ({ id, rows: [, other] }) => other.decisions.delete(id)],
  ['took the path', ({ id, rows: [source] }) => source.events.delete(`${id}/10`)],
  [
    'ended 2 times',
    ({ id, rows: [source] }) => change(source.events, `${id}/20`, { type: 'rejected' }),
  ],
  [
    'committed after voided',
    ({ id, rows: [, other] }) => {
      const { decision } = other.decisions.get(id)!;
      const voided = { ...decision, outcome: 'voided' } as typeof decision;
      change(other.decisions, id, { decision: voided });
      change(other.events, `${id}/30`, { type: 'voided' });
    },
  ],
  ['credited without a hold', ({ id, rows: [source] }) => source.events.delete(`${id}/20`)],
];

const AFTER_THE_CREDIT: [string, Lie][] = [
  ['credited and its hold is gone', ({ id, rows: [source] }) => source.holds.delete(id)],
  ['hold is off', ({ id, rows: [source] }) => source.holds.delete(id)],
  ['open_transfers is off', ({ id, rows: [source] }) => source.openTransfers.delete(id)],
];

describe('the checkers of a simulation', () => {
  it.each<[string, Types, string]>([
    ['committed', ALL, PAYEE],
    ['rejected by its destination', ALL, 'nobody'],
    ['requested', [], PAYEE],
    ['held', ['requested'], PAYEE],
  ])('find nothing wrong with a transfer that is %s', async (_, delivered, destination) => {
    expect((await Ledger.after(delivered, destination)).wrong).toEqual([]);
  });

  it('see what is in transit between the credit and the commit', async () => {
    expect((await Ledger.after(['requested', 'held'])).wrong).toEqual(['-60 EUR in transit']);
  });

  it.each(AFTER_THE_END)('name what is wrong with a committed transfer: %s', async (what, lie) => {
    const ledger = await Ledger.after(ALL);
    lie(ledger);
    expect(ledger.wrong).toContainEqual(expect.stringContaining(what));
  });

  it.each(AFTER_THE_CREDIT)(
    'name what is wrong with a credited transfer: %s',
    async (what, lie) => {
      const ledger = await Ledger.after(['requested', 'held']);
      lie(ledger);
      expect(ledger.wrong).toContainEqual(expect.stringContaining(what));
    },
  );
});
