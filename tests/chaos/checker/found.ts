import { integer, nullableInteger, standingOf, termsOf, text, uuidOf } from './cells.js';
import { eventTextOf } from './event-text.js';
import type { ShardReader, TextRow } from './shard-reader.js';
import { SlotHomes } from './slot-homes.js';
import type { Violations } from './violations.js';

/** What the tables of all shards say, gathered by transfer and by account. */
export interface Found {
  readonly transfers: ReadonlyMap<string, FoundTransfer>;
  readonly accounts: ReadonlyMap<string, FoundAccount>;
  readonly legs: readonly FoundLeg[];
  /** What events say of the accounts that they were about. */
  readonly snapshots: readonly FoundSnapshot[];
  /** Where accounts belong, those too that there are not. */
  readonly homes: SlotHomes;
  /** Tables that must be empty at rest, with the ids that lie there. */
  readonly leftOvers: ReadonlyMap<string, readonly string[]>;
}

export interface TransferRow {
  readonly shard: number;
  readonly kind: string;
  readonly source: string;
  readonly destination: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly state: string;
  readonly reason: string | null;
}

export interface FoundEvent {
  readonly shard: number;
  readonly step: number;
  readonly type: string;
  readonly reason: string | null;
  readonly source: string;
  readonly destination: string;
  readonly amount: bigint;
  readonly currency: string;
}

export interface FoundDecision {
  readonly shard: number;
  readonly outcome: string;
  readonly reason: string | null;
  readonly source: string;
  readonly destination: string;
  readonly amount: bigint;
  readonly currency: string;
}

export interface FoundLeg {
  readonly transferId: string;
  readonly shard: number;
  readonly step: number;
  readonly slot: number;
  readonly account: string;
  readonly entrySeq: bigint | null;
  readonly amount: bigint;
  readonly currency: string;
  readonly balanceAfter: bigint | null;
}

/** An account as it stood after an event, or as it was seen by an event that changed nothing. */
export interface FoundSnapshot {
  readonly account: string;
  /** `transfer/step` of the event. */
  readonly event: string;
  readonly balance: bigint;
  readonly held: bigint;
  readonly version: bigint;
}

/** Everything that carries one transfer's id. Lists, because what must be one may be more. */
export interface FoundTransfer {
  readonly id: string;
  readonly rows: TransferRow[];
  readonly events: FoundEvent[];
  readonly decisions: FoundDecision[];
  readonly legs: FoundLeg[];
  readonly statuses: { readonly status: string; readonly reason: string | null }[];
  keys: number;
  /** What the client wrote into the request: its key. */
  description: string | undefined;
}

export interface AccountRow {
  readonly shard: number;
  readonly currency: string;
  readonly balance: bigint;
  readonly held: bigint;
  readonly overdraftLimit: bigint;
  readonly version: bigint;
  readonly entrySeq: bigint;
}

export interface ProjectedBalance {
  readonly currency: string;
  readonly balance: bigint;
  readonly held: bigint;
  readonly version: bigint;
}

export interface FoundAccount {
  readonly rows: AccountRow[];
  readonly projected: ProjectedBalance[];
}

const ID = 'LOWER(HEX(transfer_id)) AS transfer_id';
const TERMS = 'source, destination, amount, currency, reason';
/** Where nothing may lie once all is done, and what names a row of it. */
const EMPTY_AT_REST: Readonly<Record<string, string>> = {
  holds: 'LOWER(HEX(transfer_id))',
  open_transfers: 'LOWER(HEX(transfer_id))',
  outbox: 'seq',
  dead_letters: "CONCAT(topic, '/', topic_partition, '/', topic_offset, ': ', LEFT(error, 200))",
};

/** Reads all of it; the system must be at rest. */
export async function readFound(
  readers: readonly ShardReader[],
  violations: Violations,
): Promise<Found> {
  const gathering = new Gathering(violations);
  for (const reader of readers) await gathering.read(reader);
  return gathering;
}

class Gathering implements Found {
  readonly transfers = new Map<string, FoundTransfer>();
  readonly accounts = new Map<string, FoundAccount>();
  readonly legs: FoundLeg[] = [];
  readonly snapshots: FoundSnapshot[] = [];
  readonly homes = new SlotHomes();
  readonly leftOvers = new Map<string, string[]>();
  readonly #violations: Violations;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  async read(reader: ShardReader): Promise<void> {
    await this.homes.read(reader);
    await this.#transfers(reader);
    await this.#events(reader);
    await this.#decisions(reader);
    await this.#legs(reader);
    await this.#keysAndStatuses(reader);
    await this.#accounts(reader);
    for (const [table, name] of Object.entries(EMPTY_AT_REST)) {
      const ids = this.leftOvers.get(table) ?? [];
      for await (const row of reader.rows(`SELECT ${name} AS name FROM ${table}`)) {
        ids.push(`${text(row, 'name')} on shard ${reader.shard}`);
      }
      this.leftOvers.set(table, ids);
    }
  }

  async #transfers(reader: ShardReader): Promise<void> {
    const sql = `SELECT LOWER(HEX(id)) AS transfer_id, kind, state, ${TERMS} FROM transfers`;
    for await (const row of reader.rows(sql)) {
      const { shard } = reader;
      const kind = text(row, 'kind');
      this.#transfer(row).rows.push({ shard, kind, state: text(row, 'state'), ...termsOf(row) });
    }
  }

  async #events(reader: ShardReader): Promise<void> {
    const sql = `SELECT ${ID}, step, type, envelope FROM transfer_events`;
    for await (const row of reader.rows(sql)) {
      const found = this.#transfer(row);
      const step = Number(row['step']);
      const type = text(row, 'type');
      const { data, ...envelope } = eventTextOf(text(row, 'envelope'));
      if (envelope.id !== `${found.id}/${step}` || envelope.type !== type) {
        const detail = `transfer ${found.id}, step ${step} ${type} holds ${envelope.id}`;
        this.#violations.add('event is not what its row says', detail);
      }
      if (step === REQUEST_STEP) found.description = data.description;
      for (const { id, balance, held, version } of envelope.accounts) {
        const standing = { balance: BigInt(balance), held: BigInt(held), version: BigInt(version) };
        this.snapshots.push({ account: id, event: `${found.id}/${step}`, ...standing });
      }
      const { source, destination, currency, reason = null } = data;
      const terms = { source, destination, currency, reason, amount: BigInt(data.amount) };
      found.events.push({ shard: reader.shard, step, type, ...terms });
    }
  }

  async #decisions(reader: ShardReader): Promise<void> {
    for await (const row of reader.rows(`SELECT ${ID}, outcome, ${TERMS} FROM decisions`)) {
      const { shard } = reader;
      const outcome = text(row, 'outcome');
      this.#transfer(row).decisions.push({ shard, outcome, ...termsOf(row) });
    }
  }

  async #legs(reader: ShardReader): Promise<void> {
    const sql = `SELECT ${ID}, step, slot, account_id, entry_seq, amount, currency, balance_after
      FROM ledger_entries`;
    for await (const row of reader.rows(sql)) {
      const transfer = this.#transfer(row);
      const leg = {
        transferId: transfer.id,
        shard: reader.shard,
        step: Number(row['step']),
        slot: Number(row['slot']),
        account: text(row, 'account_id'),
        entrySeq: nullableInteger(row, 'entry_seq'),
        amount: integer(row, 'amount'),
        currency: text(row, 'currency'),
        balanceAfter: nullableInteger(row, 'balance_after'),
      };
      transfer.legs.push(leg);
      this.legs.push(leg);
    }
  }

  async #keysAndStatuses(reader: ShardReader): Promise<void> {
    const keys = `SELECT ${ID} FROM idempotency_keys WHERE transfer_id IS NOT NULL`;
    for await (const row of reader.rows(keys)) this.#transfer(row).keys += 1;
    // The key of an opening names the account that it made.
    const claims = `SELECT LOWER(HEX(key_hash)) AS hash FROM idempotency_keys
      WHERE transfer_id IS NULL AND NOT EXISTS (SELECT 1 FROM accounts WHERE id =
      CONVERT(JSON_UNQUOTE(JSON_EXTRACT(answer, '$.accountId')) USING ascii) COLLATE ascii_bin)`;
    for await (const row of reader.rows(claims)) {
      this.#violations.add('key without its transfer', text(row, 'hash'));
    }
    const statuses = `SELECT ${ID}, status, reason FROM transaction_status`;
    for await (const row of reader.rows(statuses)) {
      const { statuses: known } = this.#transfer(row);
      known.push({ status: text(row, 'status'), reason: row['reason'] ?? null });
    }
  }

  async #accounts(reader: ShardReader): Promise<void> {
    const columns = 'currency, balance, held, version';
    const rows = `SELECT id, overdraft_limit, entry_seq, ${columns} FROM accounts`;
    for await (const row of reader.rows(rows)) {
      this.#account(text(row, 'id')).rows.push({
        shard: reader.shard,
        overdraftLimit: integer(row, 'overdraft_limit'),
        entrySeq: integer(row, 'entry_seq'),
        ...standingOf(row),
      });
    }
    for await (const row of reader.rows(`SELECT account_id AS id, ${columns} FROM balances`)) {
      this.#account(text(row, 'id')).projected.push(standingOf(row));
    }
  }

  #transfer(row: TextRow): FoundTransfer {
    const id = uuidOf(text(row, 'transfer_id'));
    const known = this.transfers.get(id);
    if (known) return known;
    const fresh = {
      id,
      rows: [],
      events: [],
      decisions: [],
      legs: [],
      statuses: [],
      keys: 0,
      description: undefined,
    };
    this.transfers.set(id, fresh);
    return fresh;
  }

  #account(id: string): FoundAccount {
    const known = this.accounts.get(id) ?? { rows: [], projected: [] };
    this.accounts.set(id, known);
    return known;
  }
}

const REQUEST_STEP = 10;
