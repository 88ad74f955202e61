import { withShardReaders } from './shard-reader.js';

/** Rows of the projections that do not say what their shard's accounts and transfers say. */
const BEHIND = [
  `SELECT COUNT(*) AS n FROM transfers
    LEFT JOIN transaction_status ON transaction_status.transfer_id = transfers.id
    WHERE transaction_status.status <> transfers.state OR (transaction_status.status IS NULL
    AND transfers.state IN ('committed', 'rejected', 'cancelled'))`,
  `SELECT COUNT(*) AS n FROM accounts
    LEFT JOIN balances ON balances.account_id = accounts.id
    WHERE accounts.version > 0
    AND (balances.version IS NULL OR balances.version <> accounts.version)`,
];

/** How many there are, over all shards. */
export function projectionsBehind(shardUrls: readonly string[]): Promise<number> {
  return withShardReaders(shardUrls, async (readers) => {
    let count = 0;
    for (const reader of readers) {
      for (const sql of BEHIND) {
        for await (const row of reader.rows(sql)) count += Number(row['n']);
      }
    }
    return count;
  });
}
