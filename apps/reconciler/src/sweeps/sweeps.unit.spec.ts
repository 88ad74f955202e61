import { beforeEach, describe, expect, it } from '@jest/globals';
import { evenSlotMap, shardOfSlot, slotOfAccount } from '@surety/domain';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import {
  StoreError,
  applySteps,
  fundAccounts,
  openAccounts,
  requestTransfers,
  voidTransfers,
} from '@surety/saga';
import type { AuditEntry, EventRow } from '@surety/saga';
import {
  MemoryShardStore,
  aDeposit,
  aTransferRequest,
  anOpening,
  brokenPromises,
  eur,
  transitSums,
} from '@surety/testing';
import type { SweepContext } from './context.js';
import { ItemBackoff } from './item-backoff.js';
import type { OpenTransferPage, SweepReads, SweepShard } from './ports.js';
import { BY_ITSELF } from './repair.js';
import type { Repair, Trouble } from './repair.js';
import { ShardSweeps } from './run-sweeps.js';

const HOLD_TIMEOUT_MS = 60_000;
const STALL_TIMEOUT_MS = 10_000;
const MAP = evenSlotMap(2);

function accountOn(shard: number, prefix: string): string {
  for (let n = 0; ; n += 1) {
    const id = `${prefix}${n}`;
    if (shardOfSlot(MAP, slotOfAccount(id)) === shard) return id;
  }
}
const SOURCE = accountOn(0, 'SRC');
const DESTINATION = accountOn(1, 'DST');

/** A shard in memory as the sweeps see it. `isAway` makes everything on it fail. */
class MemoryShard implements SweepShard, SweepReads {
  readonly id: number;
  readonly memory: MemoryShardStore;
  isAway = false;
  outboxAge = 0;
  readonly #nowMs: () => number;

  constructor(id: number, nowMs: () => number) {
    this.id = id;
    this.#nowMs = nowMs;
    this.memory = new MemoryShardStore(id, nowMs);
  }

  get reads(): SweepReads {
    return this;
  }

  get store(): MemoryShardStore {
    this.#refuseIfAway();
    return this.memory;
  }

  async expiredHolds(): ReturnType<SweepReads['expiredHolds']> {
    this.#refuseIfAway();
    const holds = [...this.memory.rows.holds.values()];
    return holds.filter((hold) => Date.parse(hold.expiresAt) < this.#nowMs());
  }

  async openTransfers(olderThanMs: number): Promise<OpenTransferPage> {
    this.#refuseIfAway();
    const rows = [...this.memory.rows.openTransfers].map((id) =>
      this.memory.rows.transfers.get(id)!,
    );
    const transfers = rows.map((row) => ({
      transferId: row.id,
      slot: row.slot,
      state: row.state as 'requested' | 'held',
      ageMs: this.#nowMs() - Date.parse(row.requestedAt),
    }));
    return { transfers: transfers.filter((row) => row.ageMs > olderThanMs), next: undefined };
  }

  async decisions(ids: readonly TransferId[]): ReturnType<SweepReads['decisions']> {
    this.#refuseIfAway();
    const { decisions } = this.memory.rows;
    return new Map([...decisions].filter(([id]) => ids.includes(id)));
  }

  async events(refs: Parameters<SweepReads['events']>[0]): Promise<readonly EventRow[]> {
    this.#refuseIfAway();
    return refs.flatMap(({ transferId, step }) => {
      const row = this.memory.rows.events.get(`${transferId}/${step}`);
      return row ? [row] : [];
    });
  }

  async outboxAgeMs(): Promise<number> {
    return this.outboxAge;
  }

  get audited(): readonly AuditEntry[] {
    return this.memory.rows.audit;
  }

  #refuseIfAway(): void {
    if (this.isAway) throw new StoreError('environment', `shard ${this.id} is away`);
  }
}

describe('the sweeps', () => {
  let clock: { ms: number };
  let source: MemoryShard;
  let destination: MemoryShard;
  let repairs: Repair[];
  let troubles: Trouble[];
  let context: SweepContext;
  let sweeps: ShardSweeps;

  beforeEach(async () => {
    clock = { ms: Date.parse('2026-01-31T10:00:00Z') };
    source = new MemoryShard(0, () => clock.ms);
    destination = new MemoryShard(1, () => clock.ms);
    repairs = [];
    troubles = [];
    sweeps = new ShardSweeps();
    const now = () => clock.ms;
    const backoff = { firstMs: STALL_TIMEOUT_MS, maxMs: 3_600_000, itemsMax: 100, now };
    context = {
      source,
      holdTimeoutMs: HOLD_TIMEOUT_MS,
      stallTimeoutMs: STALL_TIMEOUT_MS,
      dryRun: false,
      author: BY_ITSELF,
      itemBackoff: new ItemBackoff(backoff),
      shardBackoff: new ItemBackoff({ ...backoff, firstMs: 1000 }),
      listener: {
        repaired: (repair) => repairs.push(repair),
        trouble: (trouble) => troubles.push(trouble),
      },
      shardOf: (slot) => (shardOfSlot(MAP, slot) === 0 ? source : destination),
      carries: (slot) => shardOfSlot(MAP, slot) === 0,
      mayGoOn: () => true,
    };
    await openAccounts(source.memory, [anOpening(SOURCE)]);
    await openAccounts(destination.memory, [anOpening(DESTINATION)]);
    await fundAccounts(source.memory, [aDeposit(SOURCE, eur(100_00), 1)]);
  });

  const options = { holdTimeoutMs: HOLD_TIMEOUT_MS, actor: 'saga' };

  async function requested(to = DESTINATION): Promise<Envelope> {
    const request = aTransferRequest({ n: 1, source: SOURCE, destination: to, amount: eur(30_00) });
    await requestTransfers(source.memory, [request]);
    return stored(source, request.transferId, 10);
  }

  function stored(shard: MemoryShard, id: TransferId, step: number): Envelope {
    return readEnvelope(shard.memory.rows.events.get(`${id}/${step}`)!.envelope);
  }

  async function held(): Promise<Envelope> {
    const event = await requested();
    await applySteps(source.memory, [event], options);
    return stored(source, event.transferId, 20);
  }

  async function pass(): Promise<void> {
    await sweeps.run(context);
  }

  function stateOf(id: TransferId): string | undefined {
    return source.memory.rows.transfers.get(id)?.state;
  }

  function expectPromisesKept(): void {
    expect(brokenPromises(source.memory.rows)).toEqual([]);
    expect(brokenPromises(destination.memory.rows)).toEqual([]);
  }

  it('leaves a young transfer alone', async () => {
    const event = await held();
    await pass();
    expect(repairs).toEqual([]);
    expect(stateOf(event.transferId)).toBe('held');
  });

  it('cancels an orphaned hold: the void first, then the release', async () => {
    const { transferId } = await held();
    clock.ms += HOLD_TIMEOUT_MS + 1;
    await pass();
    expect(repairs.map(({ kind, shard }) => [kind, shard])).toEqual([
      ['void', 1],
      ['release', 0],
    ]);
    expect(stateOf(transferId)).toBe('cancelled');
    expect(source.memory.rows.transfers.get(transferId)?.reason).toBe('hold_expired');
    expect(destination.memory.rows.decisions.get(transferId)?.decision.outcome).toBe('voided');
    expect(source.memory.rows.accounts.get(SOURCE)).toMatchObject({ held: 0n, balance: 100_00n });
    expectPromisesKept();
  });

  it('repairs in the name of the operator who asked for it, with the reason given', async () => {
    const { transferId } = await held();
    clock.ms += HOLD_TIMEOUT_MS + 1;
    const author = { actor: 'operator:ann', reason: 'ticket 7' };
    await sweeps.run({ ...context, author });
    const line = { actor: 'operator:ann', reason: 'hold_expired: ticket 7', transferId };
    expect(destination.audited).toMatchObject([line]);
    expect(source.audited).toMatchObject([line]);
    expect(stored(destination, transferId, 30).actor).toBe('operator:ann');
  });

  it('writes down who did what, with before and after, on the shard it was done on', async () => {
    const { transferId } = await held();
    clock.ms += HOLD_TIMEOUT_MS + 1;
    await pass();
    expect(destination.audited).toMatchObject([
      { actor: 'reconciler', action: 'reconcile.void', transferId, reason: 'hold_expired' },
    ]);
    expect(source.audited).toMatchObject([
      {
        actor: 'reconciler',
        action: 'reconcile.release',
        transferId,
        before: { state: 'held', holdMinor: '3000', account: { balance: '10000', held: '3000' } },
        after: {
          state: 'cancelled',
          reason: 'hold_expired',
          account: { balance: '10000', held: '0' },
          event: `${transferId}/40`,
          answers: `${transferId}/30`,
        },
      },
    ]);
  });

  it('changes nothing more when late workers take the old steps', async () => {
    const event = await held();
    clock.ms += HOLD_TIMEOUT_MS + 1;
    await pass();
    const voided = stored(destination, event.transferId, 30);
    for (const repeat of [1, 2]) {
      const credit = await applySteps(destination.memory, [event], options);
      const release = await applySteps(source.memory, [voided], options);
      expect([repeat, credit, release]).toEqual([
        repeat,
        [{ kind: 'already_applied' }],
        [{ kind: 'already_applied' }],
      ]);
    }
    expect(destination.memory.rows.accounts.get(DESTINATION)?.balance).toBe(0n);
    expectPromisesKept();
  });

  it('rolls an expired hold forward where the destination has credited', async () => {
    const event = await held();
    await applySteps(destination.memory, [event], options);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    await pass();
    expect(repairs.map(({ kind }) => kind)).toEqual(['commit']);
    expect(stateOf(event.transferId)).toBe('committed');
    expect(transitSums([source.memory.rows, destination.memory.rows]).get('EUR')).toBe(0n);
    expectPromisesKept();
  });

  it('releases an expired hold where the destination has refused', async () => {
    const account = destination.memory.rows.accounts.get(DESTINATION)!;
    destination.memory.rows.accounts.set(DESTINATION, { ...account, status: 'closed' });
    const event = await held();
    await applySteps(destination.memory, [event], options);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    await pass();
    expect(stateOf(event.transferId)).toBe('rejected');
    expect(source.memory.rows.transfers.get(event.transferId)?.reason).toBe('destination_closed');
    expectPromisesKept();
  });

  it('keeps the hold while the destination is away, and asks it again later', async () => {
    const { transferId } = await held();
    clock.ms += HOLD_TIMEOUT_MS + 1;
    destination.isAway = true;
    await pass();
    expect(stateOf(transferId)).toBe('held');
    expect(troubles).toMatchObject([{ kind: 'shard_away', shard: 1 }]);
    destination.isAway = false;
    await pass();
    expect(stateOf(transferId)).toBe('held');
    clock.ms += 1000;
    await pass();
    expect(stateOf(transferId)).toBe('cancelled');
  });

  it('fails as a whole where its own shard is away', async () => {
    source.isAway = true;
    await expect(pass()).rejects.toThrow('shard 0 is away');
  });

  it('never releases on a decision whose event is missing', async () => {
    const event = await held();
    await applySteps(destination.memory, [event], options);
    destination.memory.rows.events.delete(`${event.transferId}/30`);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    await pass();
    expect(stateOf(event.transferId)).toBe('held');
    expect(troubles).toMatchObject([{ kind: 'missing_event', transferId: event.transferId }]);
  });

  it('releases nothing for a hold without its held event', async () => {
    const event = await held();
    source.memory.rows.events.delete(event.id);
    clock.ms += HOLD_TIMEOUT_MS + 1;
    await pass();
    expect(source.memory.rows.holds.size).toBe(1);
    expect(destination.memory.rows.decisions.size).toBe(0);
    expect(troubles[0]).toMatchObject({ kind: 'missing_event' });
  });

  it('says in a dry run what it would do and writes nothing', async () => {
    const { transferId } = await held();
    clock.ms += HOLD_TIMEOUT_MS + 1;
    const commits = [source.memory.commits, destination.memory.commits];
    context = { ...context, dryRun: true };
    await pass();
    expect(repairs.map(({ kind, shard }) => [kind, shard])).toEqual([
      ['void', 1],
      ['release', 0],
    ]);
    expect([source.memory.commits, destination.memory.commits]).toEqual(commits);
    expect(source.audited).toEqual([]);
    expect(stateOf(transferId)).toBe('held');
  });

  describe('over transfers that stand still', () => {
    it('sends a requested one again, the same bytes', async () => {
      const { transferId } = await requested();
      const sent = source.memory.rows.outbox.map((row) => row.payload);
      clock.ms += STALL_TIMEOUT_MS + 1;
      await pass();
      expect(source.memory.rows.outbox.slice(sent.length - 1).map((row) => row.payload)).toEqual([
        sent.at(-1),
        sent.at(-1),
      ]);
      expect(repairs).toMatchObject([{ kind: 'send_again', transferId }]);
    });

    it('sends a held one without a decision to its destination again', async () => {
      await held();
      const before = source.memory.rows.outbox.length;
      clock.ms += STALL_TIMEOUT_MS + 1;
      await pass();
      expect(source.memory.rows.outbox.slice(before)).toMatchObject([{ topic: 'toDestination' }]);
    });

    it('counts the time of a held one from its hold, not from its request', async () => {
      const event = await requested();
      clock.ms += STALL_TIMEOUT_MS - 1;
      await applySteps(source.memory, [event], options);
      clock.ms += STALL_TIMEOUT_MS - 1;
      await pass();
      expect(repairs).toEqual([]);
    });

    it.each([
      ['credited but not committed', 'credit', 'commit', 'committed'],
      ['refused but not released', 'refuse', 'release', 'rejected'],
      ['voided but not released', 'void', 'release', 'cancelled'],
    ])('settles a held one that is %s', async (_, decision, kind, state) => {
      if (decision === 'refuse') {
        const account = destination.memory.rows.accounts.get(DESTINATION)!;
        destination.memory.rows.accounts.set(DESTINATION, { ...account, status: 'closed' });
      }
      const cause = await held();
      if (decision === 'void') {
        const asked = { cause, reason: 'cancelled_by_client', actor: 'client:default' } as const;
        await voidTransfers(destination.memory, [asked]);
      } else {
        await applySteps(destination.memory, [cause], options);
      }
      clock.ms += STALL_TIMEOUT_MS;
      await pass();
      expect(repairs).toEqual([]);
      clock.ms += 1;
      await pass();
      expect(repairs.map((repair) => [repair.kind, repair.cause])).toEqual([
        [kind, 'standing_still'],
      ]);
      expect(stateOf(cause.transferId)).toBe(state);
      expectPromisesKept();
    });

    it('does not send the same event at every pass', async () => {
      await requested();
      clock.ms += STALL_TIMEOUT_MS + 1;
      const before = source.memory.rows.outbox.length;
      await pass();
      await pass();
      expect(source.memory.rows.outbox.length).toBe(before + 1);
      clock.ms += STALL_TIMEOUT_MS;
      await pass();
      clock.ms += STALL_TIMEOUT_MS;
      await pass();
      expect(source.memory.rows.outbox.length).toBe(before + 2);
    });

    it('waits for a relay that is behind, but not for ever', async () => {
      await requested();
      clock.ms += STALL_TIMEOUT_MS + 1;
      source.outboxAge = STALL_TIMEOUT_MS + 2;
      await pass();
      expect(repairs).toEqual([]);
      clock.ms += 9 * STALL_TIMEOUT_MS;
      source.outboxAge = 10 * STALL_TIMEOUT_MS + 2;
      await pass();
      expect(repairs).toMatchObject([{ kind: 'send_again' }]);
    });

    it('ends a requested one that nobody took up within two hold time-outs', async () => {
      const { transferId } = await requested();
      clock.ms += 2 * HOLD_TIMEOUT_MS;
      await pass();
      expect(stateOf(transferId)).toBe('requested');
      clock.ms += 1;
      await pass();
      expect(stateOf(transferId)).toBe('rejected');
      expect(source.memory.rows.transfers.get(transferId)?.reason).toBe('not_processed');
      expect(source.audited.at(-1)).toMatchObject({ action: 'reconcile.expire', transferId });
      expectPromisesKept();
    });

    it('leaves the work to others once it may not go on', async () => {
      await requested();
      clock.ms += STALL_TIMEOUT_MS + 1;
      context = { ...context, mayGoOn: () => false };
      await pass();
      expect(repairs).toEqual([]);
    });
  });
});
