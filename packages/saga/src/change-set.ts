import { encodeEnvelope } from '@surety/contracts';
import type { Envelope, Topic } from '@surety/contracts';
import { InvariantViolation, isEnded } from '@surety/domain';
import type { Account, AccountId, Leg, Transfer, TransferId } from '@surety/domain';
import { OutboxComposer } from './outbox.js';
import { keyOf } from './ports.js';
import type {
  AuditEntry,
  Changes,
  DecisionRow,
  EventRow,
  HoldRow,
  KeyRef,
  KeyRow,
  LoadRequest,
  Loaded,
  TransferRow,
} from './ports.js';

type Table = keyof LoadRequest & keyof Loaded;

/**
 * The rows of one transaction as they stand in memory while its steps are decided one after the
 * other. Each step sees what the ones before it changed; `finish` gives one write per row.
 */
export class ChangeSet {
  readonly now: string;
  readonly #loaded: Loaded;
  readonly #asked: Readonly<Record<Table, ReadonlySet<string>>>;
  readonly #presumedAbsent: readonly string[];
  readonly #accounts: Map<AccountId, Account>;
  readonly #accountsInserted = new Map<AccountId, Changes['accountsInserted'][number]>();
  readonly #accountsTouched = new Set<AccountId>();
  readonly #transfers: Map<TransferId, TransferRow>;
  readonly #transfersInserted = new Set<TransferId>();
  readonly #transfersTouched = new Set<TransferId>();
  readonly #decisions: Map<TransferId, DecisionRow>;
  readonly #decisionsInserted: DecisionRow[] = [];
  readonly #keys: Map<string, KeyRow>;
  readonly #keysInserted: KeyRow[] = [];
  readonly #holdsInserted = new Map<TransferId, HoldRow>();
  readonly #holdsDeleted: TransferId[] = [];
  readonly #legs: Leg[] = [];
  readonly #events: EventRow[] = [];
  readonly #outbox: OutboxComposer;
  readonly #audit: AuditEntry[] = [];

  /** @param load what was asked for: a row outside it is not absent, it was never looked for. */
  constructor(loaded: Loaded, load: LoadRequest) {
    this.#loaded = loaded;
    this.#presumedAbsent = (load.keysPresumedAbsent ?? []).map(keyOf);
    this.#asked = {
      keys: new Set([...(load.keys ?? []).map(keyOf), ...this.#presumedAbsent]),
      transfers: new Set(load.transfers),
      decisions: new Set(load.decisions),
      accounts: new Set(load.accounts),
    };
    this.now = loaded.now;
    this.#outbox = new OutboxComposer(loaded);
    this.#accounts = new Map(loaded.accounts);
    this.#transfers = new Map(loaded.transfers);
    this.#decisions = new Map(loaded.decisions);
    this.#keys = new Map(loaded.keys);
  }

  key(ref: KeyRef): KeyRow | undefined {
    const name = keyOf(ref);
    this.#mustBeAsked('keys', name);
    return this.#keys.get(name);
  }

  insertKey(row: KeyRow): void {
    this.#keys.set(keyOf(row), row);
    this.#keysInserted.push(row);
  }

  account(id: AccountId): Account | undefined {
    this.#mustBeAsked('accounts', id);
    return this.#accounts.get(id);
  }

  putAccount(account: Account): void {
    this.#accounts.set(account.id, account);
    this.#accountsTouched.add(account.id);
  }

  insertAccount(account: Account, metadata: string | null): void {
    this.#accounts.set(account.id, account);
    this.#accountsInserted.set(account.id, { ...account, metadata });
  }

  transfer(id: TransferId): TransferRow | undefined {
    this.#mustBeKnown('transfers', id);
    return this.#transfers.get(id);
  }

  insertTransfer(row: TransferRow): void {
    this.#transfers.set(row.id, row);
    this.#transfersInserted.add(row.id);
  }

  moveTransfer(row: TransferRow, to: Transfer): void {
    const reason = 'reason' in to ? to.reason : null;
    this.#transfers.set(row.id, { ...row, state: to.status, reason });
    // The row that is inserted says where the transfer has come to.
    if (!this.#transfersInserted.has(row.id)) this.#transfersTouched.add(row.id);
  }

  decision(id: TransferId): DecisionRow | undefined {
    this.#mustBeKnown('decisions', id);
    return this.#decisions.get(id);
  }

  insertDecision(row: DecisionRow): void {
    this.#decisions.set(row.transferId, row);
    this.#decisionsInserted.push(row);
  }

  insertHold(row: HoldRow): void {
    this.#holdsInserted.set(row.transferId, row);
  }

  /** A hold made and ended in the same transaction never becomes a row. */
  deleteHold(id: TransferId): void {
    if (!this.#holdsInserted.delete(id)) this.#holdsDeleted.push(id);
  }

  addLegs(legs: readonly Leg[]): void {
    this.#legs.push(...legs);
  }

  /** Appends the event to its stream and addresses it to whoever acts on it. */
  record(envelope: Envelope, slot: number, topic?: Topic | 'nobody'): void {
    const encoded = encodeEnvelope(envelope);
    this.#events.push({
      transferId: envelope.transferId,
      step: envelope.step,
      slot,
      type: envelope.type,
      occurredAt: envelope.occurredAt,
      envelope: encoded,
    });
    if (topic !== 'nobody') this.#outbox.add(envelope, encoded, topic);
  }

  audit(entry: AuditEntry): void {
    this.#audit.push(entry);
  }

  finish(): Changes {
    this.#mustClaimPresumed();
    return {
      keys: this.#keysInserted,
      transfersInserted: Array.from(this.#transfersInserted, (id) => this.#mustHaveTransfer(id)),
      transfersUpdated: this.#transferUpdates(),
      decisions: this.#decisionsInserted,
      accountsInserted: [...this.#accountsInserted.values()],
      accountsUpdated: this.#accountUpdates(),
      accountStatuses: [],
      legs: this.#legs,
      holdsInserted: [...this.#holdsInserted.values()],
      holdsDeleted: this.#holdsDeleted,
      events: this.#events,
      outbox: this.#outbox.finish(),
      audit: this.#audit,
      deadLetters: [],
    };
  }

  #accountUpdates(): Changes['accountsUpdated'] {
    return Array.from(this.#accountsTouched, (id) => {
      const before = this.#loaded.accounts.get(id);
      const after = this.#accounts.get(id);
      if (!before || !after) throw new InvariantViolation(`account ${id} changed without a lock`);
      if (after.held < 0n) throw new InvariantViolation(`account ${id} would hold ${after.held}`);
      return {
        id,
        expectedVersion: before.version,
        balance: after.balance,
        held: after.held,
        version: after.version,
        entrySeq: after.entrySeq,
      };
    });
  }

  #transferUpdates(): Changes['transfersUpdated'] {
    return Array.from(this.#transfersTouched, (id) => {
      const before = this.#loaded.transfers.get(id);
      const after = this.#mustHaveTransfer(id);
      if (!before) throw new InvariantViolation(`transfer ${id} changed without a lock`);
      if (isEnded(before.state)) throw new InvariantViolation(`transfer ${id} would end twice`);
      return {
        id,
        slot: after.slot,
        requestedAt: after.requestedAt,
        from: before.state,
        to: after.state,
        reason: after.reason,
      };
    });
  }

  /** Absence is never permission: it counts only for a row that was looked for under lock. */
  #mustBeAsked(table: Table, key: string): void {
    if (!this.#asked[table].has(key)) {
      throw new InvariantViolation(`${key} of ${table} is judged without having been read`);
    }
  }

  /** Of a transfer that begins in this transaction there is nothing yet: the primary keys guard it. */
  #mustBeKnown(table: 'transfers' | 'decisions', id: TransferId): void {
    if (!this.#transfersInserted.has(id)) this.#mustBeAsked(table, id);
  }

  /** What is presumed and not inserted is guarded by nothing. */
  #mustClaimPresumed(): void {
    for (const key of this.#presumedAbsent) {
      if (this.#keys.has(key)) continue;
      throw new InvariantViolation(`key ${key} is presumed absent and not inserted`);
    }
  }

  #mustHaveTransfer(id: TransferId): TransferRow {
    const row = this.#transfers.get(id);
    if (!row) throw new InvariantViolation(`transfer ${id} is not in memory`);
    return row;
  }
}
