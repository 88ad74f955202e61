import { isEnded, slotOfAccount } from '@surety/domain';
import type { Account, TransferEventType, TransferId } from '@surety/domain';
import type { CancelResult, Changes, TransferRow } from '@surety/saga';
import { brokenPromises, transitSums } from '@surety/testing';
import { illegalHistory } from '@surety/testing/simulation';
import type { SimulatedShard } from '@surety/testing/simulation';
import type { Intent } from './intents.js';
import type { World } from './world.js';

/** Problems that a request may meet although it is right: nothing was written, it may come again. */
const ACCOUNT_PROBLEMS: readonly string[] = ['account-unusable', 'account-not-found'];
const DECISIONS: readonly TransferEventType[] = ['credited', 'refused', 'voided'];
const ENDS: readonly TransferEventType[] = ['committed', 'rejected', 'cancelled'];

/** The promises, looked at in every committed state, at every answer and at rest. */
export class Checks {
  readonly #world: World;
  /** What was committed first, whatever became of the row since. */
  readonly #decided = new Map<TransferId, TransferEventType>();
  readonly #ended = new Map<TransferId, TransferEventType>();
  /** Ends that a client was told. */
  readonly #told = new Map<TransferId, string>();

  constructor(world: World) {
    this.#world = world;
  }

  committed(shard: SimulatedShard, changes: Changes): void {
    const touched = touchedBy(changes);
    if (touched.length === 0 && changes.accountsUpdated.length === 0) return;
    for (const message of brokenPromises(shard.rows)) this.#broken(message, touched);
    this.#checkPlaces(shard, changes);
    this.#checkOnce(changes);
    for (const id of touched) {
      for (const message of this.#storyFaults(id)) this.#broken(message, [id]);
    }
    for (const { id } of changes.transfersInserted) this.#checkKey(id);
  }

  /** A 202 or a 201 for this sum. */
  acknowledged(intent: Intent, id: TransferId, minor: number): void {
    const { acknowledged } = intent;
    if (acknowledged && acknowledged !== id) {
      this.#broken(`key ${intent.n} was answered with ${acknowledged} and ${id}`, [id]);
    }
    // A mutable field: the client goes on from here.
    Object.assign(intent, { acknowledged: id });
    const row = this.#rowOf(intent, id);
    if (row && row.amountMinor !== BigInt(minor)) {
      this.#broken(`key ${intent.n} stands for ${row.amountMinor} and was taken for ${minor}`, [
        id,
      ]);
    }
  }

  /** A problem document. */
  refused(intent: Intent, minor: number, code: string): void {
    if (code === 'idempotency-key-reused') {
      const sums = this.#made(intent).map((row) => row.amountMinor);
      if (sums.length > 0 && sums.every((sum) => sum !== BigInt(minor))) return;
    } else if (intent.kind === 'deposit' && ACCOUNT_PROBLEMS.includes(code)) return;
    this.#broken(`key ${intent.n} with ${minor} was answered with ${code}`, [...intent.tried]);
  }

  cancelAnswered(id: TransferId, result: CancelResult): void {
    if (result.kind === 'alarm') this.#broken(`a cancel met the alarm ${result.alarm}`, [id]);
    if (result.kind === 'not_found') {
      this.#broken(`${id} was acknowledged and a cancel does not find it`, [id]);
    }
    if (result.kind !== 'ended') return;
    if (this.#ended.get(id) !== result.status) {
      this.#broken(`a cancel said ${result.status} of ${id}`, [id]);
    }
    this.#told.set(id, result.status);
  }

  /** Why it is not quiet although it should be. */
  liveness(): void {
    const { shards, intents } = this.#world;
    const open = shards.flatMap(({ rows }) => [...rows.openTransfers]);
    const unasked = intents.filter((intent) => !intent.acknowledged).length;
    const unsent = shards.reduce((sum, { outbox }) => sum + outbox.size, 0);
    this.#broken(
      `not at rest in time: ${open.length} open, ${unasked} unacknowledged, ${unsent} unsent`,
      open,
    );
  }

  atRest(): void {
    const { shards, intents } = this.#world;
    for (const [currency, sum] of transitSums(shards.map(({ rows }) => rows))) {
      if (sum !== 0n) this.#broken(`transit in ${currency} is ${sum} at rest`);
    }
    for (const { rows } of shards) {
      for (const message of brokenPromises(rows)) this.#broken(message);
      for (const row of rows.transfers.values()) this.#checkEnded(row);
      for (const account of rows.accounts.values()) this.#checkProjected(account);
    }
    for (const intent of intents) {
      if (intent.acknowledged) this.#rowOf(intent, intent.acknowledged);
    }
  }

  #broken(message: string, ids: readonly TransferId[] = []): void {
    this.#world.broken(message, ids);
  }

  /** Acknowledged means durable: the transfer is there from that moment on. */
  #rowOf({ source }: Intent, id: TransferId): TransferRow | undefined {
    const row = this.#world.shardOf(slotOfAccount(source)).rows.transfers.get(id);
    if (!row) this.#broken(`${id} was acknowledged and does not exist`, [id]);
    return row;
  }

  #made({ tried }: Intent): TransferRow[] {
    const { shards } = this.#world;
    return shards.flatMap(({ rows }) => [...tried].flatMap((id) => rows.transfers.get(id) ?? []));
  }

  #checkProjected(account: Account): void {
    const none = { balance: 0n, held: 0n, version: 0n };
    const shown = toldOf(this.#world.balances.get(account.id) ?? none);
    const truth = toldOf(account);
    if (shown !== truth) this.#broken(`${account.id} is ${truth}, its projection ${shown}`);
  }

  #checkEnded(row: TransferRow): void {
    const { id, state } = row;
    if (!isEnded(state)) this.#broken(`${id} has not ended`, [id]);
    const shown = this.#world.statuses.get(id)?.status;
    if (shown !== state) {
      this.#broken(`${id} is ${state}, its projection ${shown ?? 'absent'}`, [id]);
    }
    const told = this.#told.get(id) ?? state;
    if (told !== state) this.#broken(`${id} is ${state} and a client was told ${told}`, [id]);
    for (const message of this.#storyFaults(id)) this.#broken(message, [id]);
  }

  #checkPlaces(shard: SimulatedShard, { events, decisions }: Changes): void {
    for (const { slot, transferId } of [...events, ...decisions]) {
      if (this.#world.shardOf(slot) === shard) continue;
      this.#broken(`a row of slot ${slot} lies on shard ${shard.id}`, [transferId]);
    }
  }

  /** One decision and one end for ever: rows that were deleted since do not count less. */
  #checkOnce({ events }: Changes): void {
    for (const { transferId, type } of events) {
      if (DECISIONS.includes(type)) this.#once(this.#decided, transferId, type);
      if (ENDS.includes(type)) this.#once(this.#ended, transferId, type);
    }
  }

  #once(known: Map<TransferId, TransferEventType>, id: TransferId, type: TransferEventType): void {
    const first = known.get(id);
    if (first) this.#broken(`${id} was ${first} and is ${type}`, [id]);
    else known.set(id, type);
  }

  #storyFaults(id: TransferId): string[] {
    return illegalHistory(
      id,
      this.#world.shards.map(({ rows }) => rows),
    );
  }

  #checkKey(id: TransferId): void {
    const intent = this.#world.intentOf.get(id);
    if (!intent) return;
    const made = this.#made(intent).map((row) => row.id);
    if (made.length > 1) this.#broken(`one wish made ${made.length} transfers`, made);
  }
}

function touchedBy(changes: Changes): TransferId[] {
  const ids = new Set<TransferId>();
  for (const { transferId } of [...changes.events, ...changes.decisions]) ids.add(transferId);
  for (const { id } of [...changes.transfersInserted, ...changes.transfersUpdated]) ids.add(id);
  return [...ids];
}

function toldOf({ balance, held, version }: Pick<Account, 'balance' | 'held' | 'version'>): string {
  return `${balance} with ${held} held at version ${version}`;
}
