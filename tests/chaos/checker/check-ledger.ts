import type { Found, FoundAccount, FoundLeg, FoundTransfer, TransferRow } from './found.js';
import type { Violations } from './violations.js';

const CREDIT_STEP = 30;
const COMMIT_STEP = 40;

/**
 * Money: a committed transfer has its legs and no other has any; every account's legs run from zero
 * to its balance, in order, never below zero; and everything sums to zero.
 */
export function checkLedger(found: Found, violations: Violations): void {
  for (const transfer of found.transfers.values()) checkLegs(transfer, violations);
  checkSums(found.legs, violations);
  checkRunningBalances(found, violations);
  checkRecomputedBalances(found, violations);
  for (const [table, ids] of found.leftOvers) {
    for (const id of ids) violations.add(`left in ${table}`, id);
  }
}

interface WantedLeg {
  readonly step: number;
  readonly account: string;
  readonly amount: bigint;
  readonly currency: string;
}

function checkLegs({ id, legs, rows }: FoundTransfer, violations: Violations): void {
  const row = rows[0];
  if (!row) return;
  const wanted = row.state === 'committed' ? wantedLegs(row, legs) : [];
  const missing = [...wanted];
  for (const leg of legs) {
    const at = missing.findIndex((one) => textOf(one) === textOf(leg));
    if (at >= 0) missing.splice(at, 1);
    else violations.add('leg too many', `transfer ${id} (${row.state}): ${textOf(leg)}`);
    const isSystem = leg.account.startsWith('~');
    if (isSystem !== (leg.entrySeq === null) || isSystem !== (leg.balanceAfter === null)) {
      violations.add('leg without its place', `transfer ${id}: ${textOf(leg)}`);
    }
  }
  for (const leg of missing) violations.add('leg missing', `transfer ${id}: ${textOf(leg)}`);
}

/** Each leg of an account has its counter leg on the same shard, in its slot's system account. */
function wantedLegs(row: TransferRow, legs: readonly FoundLeg[]): WantedLeg[] {
  const { source, destination, amount, currency } = row;
  const debit = { step: COMMIT_STEP, account: source, amount: -amount, currency };
  if (row.kind === 'funding') {
    const credit = { step: COMMIT_STEP, account: destination, amount, currency };
    return [debit, credit];
  }
  const credit = { step: CREDIT_STEP, account: destination, amount, currency };
  return [debit, credit, counterOf(debit, legs), counterOf(credit, legs)];
}

function counterOf(leg: WantedLeg, legs: readonly FoundLeg[]): WantedLeg {
  const own = legs.find(({ step, account }) => step === leg.step && account === leg.account);
  const account = `~transit:${own?.slot}:${leg.currency}`;
  return { ...leg, account, amount: -leg.amount };
}

function textOf({ step, account, amount, currency }: WantedLeg): string {
  return `step ${step} ${account} ${amount} ${currency}`;
}

function checkSums(legs: readonly FoundLeg[], violations: Violations): void {
  const sums = new Map<string, bigint>();
  const add = (name: string, amount: bigint): void => {
    sums.set(name, (sums.get(name) ?? 0n) + amount);
  };
  for (const { shard, slot, account, amount, currency } of legs) {
    add(`all of ${currency}`, amount);
    add(`slot ${slot} on shard ${shard} in ${currency}`, amount);
    if (account.startsWith('~transit:')) add(`all transit in ${currency}`, amount);
  }
  for (const [name, sum] of sums) {
    if (sum !== 0n) violations.add('money does not sum to zero', `${name}: ${sum}`);
  }
}

function checkRunningBalances(found: Found, violations: Violations): void {
  const byAccount = new Map<string, FoundLeg[]>();
  for (const leg of found.legs) {
    if (leg.entrySeq === null) continue;
    const own = byAccount.get(leg.account);
    if (own) own.push(leg);
    else byAccount.set(leg.account, [leg]);
  }
  for (const [id, legs] of byAccount) {
    legs.sort((one, other) => Number((one.entrySeq ?? 0n) - (other.entrySeq ?? 0n)));
    const last = runThrough(id, legs, violations);
    const row = found.accounts.get(id)?.rows[0];
    if (!row) violations.add('legs without their account', id);
    else if (row.balance !== last || row.entrySeq !== BigInt(legs.length)) {
      const detail = `${id}: ${row.balance} at entry ${row.entrySeq}, legs say ${last} at ${legs.length}`;
      violations.add('balance is not the sum of its legs', detail);
    }
  }
}

function runThrough(id: string, legs: readonly FoundLeg[], violations: Violations): bigint {
  let balance = 0n;
  let seq = 0n;
  for (const leg of legs) {
    balance += leg.amount;
    seq += 1n;
    const where = `${id} at entry ${leg.entrySeq} (transfer ${leg.transferId})`;
    if (leg.entrySeq !== seq) violations.add('entries are not dense', `${where}, wanted ${seq}`);
    if (leg.balanceAfter !== balance) {
      const detail = `${where}: ${leg.balanceAfter}, recomputed ${balance}`;
      violations.add('balance after an entry differs', detail);
    }
    if (balance < 0n) violations.add('account below zero', `${where}: ${balance}`);
  }
  return balance;
}

/** From the committed transfers and fundings alone, without the ledger. */
function checkRecomputedBalances(found: Found, violations: Violations): void {
  const balances = new Map<string, bigint>();
  for (const { rows } of found.transfers.values()) {
    for (const { state, source, destination, amount } of rows) {
      if (state !== 'committed') continue;
      balances.set(source, (balances.get(source) ?? 0n) - amount);
      balances.set(destination, (balances.get(destination) ?? 0n) + amount);
    }
  }
  for (const [id, account] of found.accounts) {
    const balance = balances.get(id) ?? 0n;
    checkAccount(id, account, balance, violations);
    checkProjection(id, account, balance, violations);
  }
}

function checkAccount(
  id: string,
  { rows }: FoundAccount,
  balance: bigint,
  violations: Violations,
): void {
  for (const row of rows) {
    if (row.balance !== balance) {
      violations.add('balance differs', `${id}: ${row.balance}, recomputed ${balance}`);
    }
    if (row.held !== 0n) violations.add('held is not zero', `${id}: ${row.held}`);
    if (row.overdraftLimit !== 0n) violations.add('overdraft nobody asked for', id);
  }
}

/** An account that nothing ever happened to need not have a projection. */
function checkProjection(
  id: string,
  { rows, projected }: FoundAccount,
  balance: bigint,
  violations: Violations,
): void {
  const row = rows[0];
  const wanted = `${balance} held 0 ${row?.currency} version ${row?.version}`;
  const is = projected
    .map((one) => `${one.balance} held ${one.held} ${one.currency} version ${one.version}`)
    .join(', ');
  if (is === wanted || (is === '' && row?.version === 0n)) return;
  violations.add('balance projection differs', `${id}: ${is || 'nothing'}, recomputed ${wanted}`);
}
