import { brokenRunningBalances, legsWithoutAccount, wrongBalances } from '@surety/db';
import type { Session } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';
import type { Finding } from './types.js';

export const balances: Check = {
  name: 'balances',
  promise: 'Every balance is the sum of its legs, which are numbered without a gap.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('accounts', 'ledger_entries');
    await onEveryShard(scope, async (snapshot) => {
      findings.add(
        ...(await wrongAccounts(snapshot)),
        ...(await brokenLegs(snapshot)),
        ...(await strangers(snapshot)),
      );
    });
  },
};

async function wrongAccounts(snapshot: Session): Promise<Finding[]> {
  const rows = await wrongBalances(snapshot);
  return rows.map((row) => ({
    shard: snapshot.id,
    key: `account ${row.id}`,
    problem:
      row.legsCurrency === null || row.legsCurrency === row.currency
        ? 'balance or entry_seq contradicts the legs'
        : 'currency contradicts the legs',
    detail: {
      balance: row.balance.toString(),
      legsSum: row.legsSum.toString(),
      lastBalanceAfter: row.lastBalanceAfter?.toString() ?? null,
      entrySeq: row.entrySeq.toString(),
      legs: row.legs.toString(),
      lastEntrySeq: row.lastEntrySeq?.toString() ?? null,
      currency: row.currency,
      legsCurrency: row.legsCurrency,
    },
  }));
}

async function brokenLegs(snapshot: Session): Promise<Finding[]> {
  const rows = await brokenRunningBalances(snapshot);
  return rows.map((row) => ({
    shard: snapshot.id,
    key: `leg ${row.account} entry ${row.entrySeq}`,
    problem: 'balance_after is not the one before plus the leg',
    detail: {
      transfer: row.transferId,
      leg: row.minor.toString(),
      balanceAfter: row.balanceAfter?.toString() ?? null,
      before: row.previousBalanceAfter?.toString() ?? null,
    },
  }));
}

async function strangers(snapshot: Session): Promise<Finding[]> {
  const rows = await legsWithoutAccount(snapshot);
  return rows.map((row) => ({
    shard: snapshot.id,
    key: `account ${row.account}`,
    problem: 'has legs and does not exist',
    detail: { legs: row.legs.toString(), legsSum: row.sumMinor.toString() },
  }));
}
