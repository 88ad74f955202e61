import type { AccountId, TransferId } from '@surety/domain';
import { readBigint, readBigintOrNull, readFlag, readText } from '../../../connection/cells.js';
import type { Row } from '../../../connection/cells.js';
import { count, uuid } from '../../../connection/literals.js';
import type { Session } from '../../../connection/session.js';
import { RANGES_MAX } from '../../transact/shape.js';
import { legRanges } from './changed-accounts.js';
import type { ChangedAccount } from './changed-accounts.js';

/** Legs that go on from the verified one to the account's balance without any fault. */
export interface FollowedLegs {
  readonly legs: number;
  /** Whether one of them is of a transfer with a smaller id than asked for. */
  readonly reachesBack: boolean;
}

/** Legs in memory at a time. An account that has more new ones is left to `sumNewLegs`. */
const LEGS_MAX = 1_000;

/**
 * Follows the new legs of accounts: numbered without a gap from the verified leg on, each balance the
 * one before plus the amount, from the verified balance to that of the account. Says nothing about an
 * account of which that does not hold, or that has too many of them: `sumNewLegs` has the last word on
 * those. Rows that come one after the other are compared here at half of what the engine takes to join
 * each leg with the one before.
 * Caller: checks, in a snapshot. Index: ledger_entries_by_account (account_id, entry_seq), a range for
 * each account, from the verified leg on. Locks: none. Rows: at most LEGS_MAX legs of at most
 * RANGES_MAX accounts in one round trip.
 * @throws StoreError
 */
export async function followNewLegs(
  snapshot: Session,
  accounts: readonly ChangedAccount[],
  bound: TransferId,
): Promise<ReadonlyMap<AccountId, FollowedLegs>> {
  const followed = new Map<AccountId, FollowedLegs>();
  for (const round of roundsOf(accounts)) {
    const walks = new Map(round.map((account) => [account.id, new LegWalk(account)]));
    const limit = round.reduce((sum, account) => sum + legsOf(account) + 1, 1);
    const rows = await readLegs(snapshot, { round, bound, limit });
    // More than there can be: where they were cut off, an account may look as if it had no more.
    if (rows.length === limit) continue;
    for (const row of rows) walks.get(readText(row[0]))?.take(row);
    for (const [id, walk] of walks) if (walk.isAtEnd) followed.set(id, walk);
  }
  return followed;
}

async function readLegs(
  snapshot: Session,
  read: { round: readonly ChangedAccount[]; bound: TransferId; limit: number },
): Promise<readonly Row[]> {
  const { round, bound, limit } = read;
  const [result] = await snapshot.send([
    'SELECT l.account_id, l.entry_seq, l.amount, l.balance_after, ' +
      `l.transfer_id < ${uuid(bound)} ` +
      'FROM ledger_entries AS l FORCE INDEX (ledger_entries_by_account) ' +
      `WHERE ${legRanges(round, '>=')} ORDER BY l.account_id, l.entry_seq LIMIT ${count(limit)}`,
  ]);
  return result?.rows ?? [];
}

function legsOf({ entrySeq, verifiedEntrySeq }: ChangedAccount): number {
  return Number(entrySeq - verifiedEntrySeq);
}

function* roundsOf(accounts: readonly ChangedAccount[]): Generator<readonly ChangedAccount[]> {
  let round: ChangedAccount[] = [];
  let legs = 0;
  for (const account of accounts) {
    const own = legsOf(account);
    if (own < 1 || own > LEGS_MAX) continue;
    if (round.length === RANGES_MAX || (round.length > 0 && legs + own > LEGS_MAX)) {
      yield round;
      round = [];
      legs = 0;
    }
    round.push(account);
    legs += own;
  }
  if (round.length > 0) yield round;
}

class LegWalk implements FollowedLegs {
  readonly #account: ChangedAccount;
  /** Of the next leg. */
  #seq: bigint;
  #balance: bigint;
  #isAtVerified: boolean;
  #isSound = true;
  legs = 0;
  reachesBack = false;

  constructor(account: ChangedAccount) {
    this.#account = account;
    this.#seq = account.verifiedEntrySeq;
    this.#balance = account.verifiedBalance;
    // Before the first leg of all there is none, and no balance.
    this.#isAtVerified = account.verifiedEntrySeq === 0n;
    if (!this.#isAtVerified) return;
    this.#seq = 1n;
    this.#isSound = account.verifiedBalance === 0n;
  }

  get isAtEnd(): boolean {
    const { balance } = this.#account;
    return this.#isSound && this.legs === legsOf(this.#account) && this.#balance === balance;
  }

  take([, seq, amount, balanceAfter, isOld]: Row): void {
    if (this.#isAtVerified) {
      this.#balance += readBigint(amount);
      this.legs += 1;
      this.reachesBack ||= readFlag(isOld);
    }
    this.#isAtVerified = true;
    this.#isSound &&=
      readBigint(seq) === this.#seq && readBigintOrNull(balanceAfter ?? null) === this.#balance;
    this.#seq += 1n;
  }
}
