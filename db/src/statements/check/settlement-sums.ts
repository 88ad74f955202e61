import { readBigint, readText } from '../../connection/cells.js';
import type { Session } from '../../connection/session.js';

export interface SettlementSum {
  readonly currency: string;
  /** Credited by the decisions of this shard, in minor units. */
  readonly creditedMinor: bigint;
  /** Committed by the transfers of this shard, fundings left out, in minor units. */
  readonly committedMinor: bigint;
}

/**
 * What this shard has credited as a destination and committed as a source, by currency.
 * Caller: checks, in a snapshot of all shards. Index: a scan of decisions and of transfers. Locks:
 * none. Rows: one for each currency.
 * @throws StoreError
 */
export async function settlementSums(snapshot: Session): Promise<SettlementSum[]> {
  const [credited, committed] = await snapshot.send([
    "SELECT currency, SUM(amount) FROM decisions WHERE outcome = 'credited' GROUP BY currency",
    "SELECT currency, SUM(amount) FROM transfers WHERE state = 'committed' " +
      "AND kind <> 'funding' GROUP BY currency",
  ]);
  const sums = new Map<string, { creditedMinor: bigint; committedMinor: bigint }>();
  const of = (currency: string): { creditedMinor: bigint; committedMinor: bigint } => {
    const sum = sums.get(currency) ?? { creditedMinor: 0n, committedMinor: 0n };
    sums.set(currency, sum);
    return sum;
  };
  for (const row of credited?.rows ?? []) of(readText(row[0])).creditedMinor = readBigint(row[1]);
  for (const row of committed?.rows ?? []) of(readText(row[0])).committedMinor = readBigint(row[1]);
  return Array.from(sums, ([currency, sum]) => ({ currency, ...sum }));
}
