import type { MemoryRows } from './memory-store.js';

/**
 * Promises that hold in every committed state of a shard, in words. Empty where all hold:
 * legs sum to zero per slot and currency, balances equal their legs, held equals the holds, nothing
 * is overdrawn, open_transfers are exactly the unfinished ones.
 */
export function brokenPromises(rows: MemoryRows): string[] {
  return [...unbalanced(rows), ...wrongAccounts(rows), ...wrongHolds(rows)];
}

function unbalanced(rows: MemoryRows): string[] {
  const sums = new Map<string, Map<number, bigint>>();
  for (const { currency, slot, minor } of rows.legs) {
    const bySlot = sums.get(currency) ?? new Map<number, bigint>();
    sums.set(currency, bySlot.set(slot, (bySlot.get(slot) ?? 0n) + minor));
  }
  return [...sums].flatMap(([currency, bySlot]) =>
    [...bySlot]
      .filter(([, sum]) => sum !== 0n)
      .map(([slot, sum]) => `slot ${slot} ${currency} sums to ${sum}`),
  );
}

function wrongAccounts(rows: MemoryRows): string[] {
  const broken: string[] = [];
  for (const account of rows.accounts.values()) {
    const legs = rows.legs.filter((leg) => leg.account === account.id);
    const sum = legs.reduce((total, leg) => total + leg.minor, 0n);
    const holds = [...rows.holds.values()].filter((hold) => hold.account === account.id);
    const held = holds.reduce((total, hold) => total + hold.amountMinor, 0n);
    if (sum !== account.balance) broken.push(`${account.id}: balance ${account.balance} ≠ ${sum}`);
    if (held !== account.held) broken.push(`${account.id}: held ${account.held} ≠ ${held}`);
    if (BigInt(legs.length) !== account.entrySeq) broken.push(`${account.id}: entry_seq is off`);
    if (account.balance - account.held + account.overdraftLimit < 0n) {
      broken.push(`${account.id} is overdrawn`);
    }
  }
  return broken;
}

function wrongHolds(rows: MemoryRows): string[] {
  const broken: string[] = [];
  for (const row of rows.transfers.values()) {
    const isOpen = row.state === 'requested' || row.state === 'held';
    if (rows.holds.has(row.id) !== (row.state === 'held')) broken.push(`${row.id}: hold is off`);
    if (rows.openTransfers.has(row.id) !== isOpen) broken.push(`${row.id}: open_transfers is off`);
  }
  return broken;
}

/** What is under way between slots, per currency: zero once everything has ended. */
export function transitSums(shards: readonly MemoryRows[]): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const leg of shards.flatMap((rows) => rows.legs)) {
    if (!leg.account.startsWith('~transit:')) continue;
    sums.set(leg.currency, (sums.get(leg.currency) ?? 0n) + leg.minor);
  }
  return sums;
}
