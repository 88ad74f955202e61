import type { Found, FoundSnapshot } from './found.js';
import type { Violations } from './violations.js';

/**
 * The life of every account as its events tell it, change by change: no hold ever promised more than
 * there was, no change is missing or came twice, and the last one is what the account's row says.
 */
export function checkSnapshots(found: Found, violations: Violations): void {
  const byAccount = new Map<string, FoundSnapshot[]>();
  for (const snapshot of found.snapshots) {
    const { account, event, balance, held } = snapshot;
    if (held < 0n || balance < held) {
      const detail = `${account} after ${event}: ${balance}, of it held ${held}`;
      violations.add('held more than there was', detail);
    }
    const own = byAccount.get(account);
    if (own) own.push(snapshot);
    else byAccount.set(account, [snapshot]);
  }
  for (const [id, { rows }] of found.accounts) {
    const row = rows[0];
    if (row) checkLife(id, byAccount.get(id) ?? [], { ...row, violations });
  }
}

function checkLife(
  id: string,
  snapshots: readonly FoundSnapshot[],
  end: { balance: bigint; held: bigint; version: bigint; violations: Violations },
): void {
  const { violations } = end;
  const byVersion = new Map<bigint, FoundSnapshot>();
  for (const snapshot of snapshots) {
    const known = byVersion.get(snapshot.version) ?? snapshot;
    byVersion.set(snapshot.version, known);
    if (known.balance === snapshot.balance && known.held === snapshot.held) continue;
    const detail = `${id} at version ${snapshot.version}: ${known.event} and ${snapshot.event}`;
    violations.add('two changes of an account have one version', detail);
  }
  byVersion.delete(0n);
  const last = byVersion.get(end.version) ?? { balance: 0n, held: 0n };
  const isEnd = last.balance === end.balance && last.held === end.held;
  if (BigInt(byVersion.size) === end.version && isEnd) return;
  const detail = `${id} at version ${end.version}: ${end.balance} with ${end.held} held`;
  const told = `${byVersion.size} changes to ${last.balance} with ${last.held} held`;
  violations.add('account is not what its events say', `${detail}; they tell of ${told}`);
}
