import { slotOfAccount } from '@surety/domain';
import type { AccountId, SlotMap, TransferId } from '@surety/domain';
import {
  OFFENDERS_MAX,
  followNewLegs,
  listChangedAccounts,
  listOlderTransfersOfNewLegs,
  listVanishedAccounts,
  sumNewLegs,
} from '@surety/db';
import type { ChangedAccount, NewLegs, Session } from '@surety/db';
import { inPieces } from '../../give-way.js';
import { PAGE_ROWS } from '../pages.js';
import type { CheckScope } from '../scope.js';
import { foreign, misplaced, otherCarrier } from '../slots.js';
import type { Finding } from '../types.js';
import type { Sink } from './sink.js';

/** Older transfers read at a time, and the accounts whose new legs lead to them. */
const OLDER_TRANSFERS_PAGE = 5_000;
const OLDER_ACCOUNTS_PAGE = 100;

export interface AccountsLook {
  readonly scope: CheckScope;
  readonly sink: Sink;
  /** Transfers with a smaller id are followed by their legs. */
  readonly bound: TransferId;
}

/**
 * Every account that is not what was verified: the verified balance and the legs since come to its
 * balance, numbered without a gap from the verified one on.
 * @returns transfers of older ids that have put legs on accounts since
 */
export async function lookAtAccounts(
  snapshot: Session,
  look: AccountsLook,
): Promise<ReadonlySet<TransferId>> {
  const { scope, sink, bound } = look;
  const older = new Set<TransferId>();
  for await (const page of eachChangedPage(snapshot, scope.map)) {
    await inPieces(scope.giveWay, async () => {
      const reachBack = await lookAtPage(snapshot, look, page);
      for await (const id of olderTransfersOf(snapshot, reachBack, bound)) older.add(id);
    });
  }
  await lookForVanished(snapshot, scope, sink);
  return older;
}

/** @returns those on which a transfer of an older id has put a leg since */
async function lookAtPage(
  snapshot: Session,
  { scope, sink, bound }: AccountsLook,
  page: readonly ChangedAccount[],
): Promise<readonly ChangedAccount[]> {
  const findings = sink.of('balances');
  findings.rowsChecked += page.length;
  lookAtSlots(snapshot, { scope, sink }, page);
  const newer = page.filter((account) => !isOlder(account));
  const followed = await followNewLegs(snapshot, newer, bound);
  const others = page.filter(({ id }) => !followed.has(id));
  const sums = new Map((await sumNewLegs(snapshot, others)).map((sum) => [sum.account, sum]));
  for (const { legs } of followed.values()) findings.rowsChecked += legs;
  for (const account of others) {
    const legs = sums.get(account.id);
    findings.rowsChecked += Number(legs?.legs ?? 0n);
    if (isContinued(account, legs)) continue;
    for (const finding of accountFindings(snapshot, account, legs)) {
      sink.tell('balances', finding);
    }
  }
  return page.filter(
    ({ id }) => followed.get(id)?.reachesBack ?? (sums.get(id)?.oldestTransfer ?? bound) < bound,
  );
}

function lookAtSlots(
  { id: shard }: Session,
  { scope, sink }: Pick<AccountsLook, 'scope' | 'sink'>,
  page: readonly ChangedAccount[],
): void {
  sink.of('slots').rowsChecked += page.length;
  for (const { id, slot } of page) {
    const rightSlot = slotOfAccount(id);
    const row = { table: 'accounts', id, step: null, slot, rightSlot } as const;
    const carrier = otherCarrier(scope.map, shard, slot);
    if (slot !== rightSlot) sink.tell('slots', { shard, ...misplaced(row) });
    else if (carrier !== undefined) sink.tell('slots', { shard, ...foreign(row, carrier) });
  }
}

/** All of them, however many: the point moves over what was not looked at. */
async function* olderTransfersOf(
  snapshot: Session,
  accounts: readonly ChangedAccount[],
  before: TransferId,
): AsyncGenerator<TransferId> {
  for (let at = 0; at < accounts.length; at += OLDER_ACCOUNTS_PAGE) {
    const some = accounts.slice(at, at + OLDER_ACCOUNTS_PAGE);
    let after: TransferId | undefined;
    do {
      const range = { after, before, limit: OLDER_TRANSFERS_PAGE };
      const ids = await listOlderTransfersOfNewLegs(snapshot, some, range);
      yield* ids;
      after = ids.length < OLDER_TRANSFERS_PAGE ? undefined : ids.at(-1);
    } while (after !== undefined);
  }
}

/** Accounts that differ from the verified ones, a page at a time. */
export async function* eachChangedPage(
  snapshot: Session,
  map: SlotMap,
): AsyncGenerator<readonly ChangedAccount[]> {
  let after: AccountId | undefined;
  for (;;) {
    const page = await listChangedAccounts(snapshot, map, { after, limit: PAGE_ROWS });
    if (page.length > 0) yield page;
    if (page.length < PAGE_ROWS) return;
    after = page.at(-1)?.id;
  }
}

/** What was verified is further than the account: whatever its legs say, it was put back. */
function isOlder({ version, verifiedVersion }: ChangedAccount): boolean {
  return version < verifiedVersion;
}

function isContinued(account: ChangedAccount, legs: NewLegs | undefined): boolean {
  const { verifiedEntrySeq, verifiedBalance, entrySeq, balance } = account;
  if (isOlder(account)) return false;
  if (!legs) return entrySeq === verifiedEntrySeq && balance === verifiedBalance;
  return (
    legs.brokenEntrySeq === null &&
    legs.distinctEntrySeqs === legs.legs &&
    legs.firstEntrySeq === verifiedEntrySeq + 1n &&
    legs.lastEntrySeq === entrySeq &&
    legs.legs === entrySeq - verifiedEntrySeq &&
    balance === verifiedBalance + legs.sumMinor
  );
}

function accountFindings(
  snapshot: Session,
  account: ChangedAccount,
  legs: NewLegs | undefined,
): Finding[] {
  const { id, balance, verifiedBalance, entrySeq, verifiedEntrySeq } = account;
  const finding = {
    shard: snapshot.id,
    key: `account ${id}`,
    problem: 'balance or entry_seq contradicts the legs since the verified ones',
    detail: {
      balance: balance.toString(),
      verifiedBalance: verifiedBalance.toString(),
      legsSum: (legs?.sumMinor ?? 0n).toString(),
      entrySeq: entrySeq.toString(),
      verifiedEntrySeq: verifiedEntrySeq.toString(),
      legs: (legs?.legs ?? 0n).toString(),
    },
  };
  const broken = legs?.brokenEntrySeq ?? null;
  if (broken === null) return [finding];
  const problem = 'balance_after is not the one before plus the leg';
  return [finding, { ...finding, key: `leg ${id} entry ${broken}`, problem }];
}

/** A slot that moved to another shard takes its accounts along: those are not missed here. */
async function lookForVanished(snapshot: Session, scope: CheckScope, sink: Sink): Promise<void> {
  for (const { id, slot, balance } of await listVanishedAccounts(snapshot, OFFENDERS_MAX)) {
    if (scope.snapshotOf(slot).id !== snapshot.id) continue;
    sink.tell('balances', {
      shard: snapshot.id,
      key: `account ${id}`,
      problem: 'was verified and does not exist any more',
      detail: { verifiedBalance: balance.toString() },
    });
  }
}
