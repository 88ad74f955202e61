import { createHash } from 'node:crypto';
import { withShardReaders } from './shard-reader.js';
import type { ShardReader } from './shard-reader.js';

/** Sums of hashes wrap here. */
const MODULUS = 1n << 256n;
const NULL_LENGTH = 0xffffffff;

/**
 * One text for each table of each shard, `<shard>.<table>`, that is the same only where every byte
 * of every row is. The order of the rows plays no part: the hashes of the rows are added up.
 */
export async function digestTables(shardUrls: readonly string[]): Promise<Map<string, string>> {
  return withShardReaders(shardUrls, async (readers) => {
    const digests = new Map<string, string>();
    for (const reader of readers) {
      for (const table of await reader.tables()) {
        digests.set(`${reader.shard}.${table}`, await digestTable(reader, table));
      }
    }
    return digests;
  });
}

async function digestTable(reader: ShardReader, table: string): Promise<string> {
  let sum = 0n;
  let count = 0;
  for await (const columns of reader.bytes(`SELECT * FROM \`${table}\``)) {
    sum = (sum + hashOf(columns)) % MODULUS;
    count += 1;
  }
  return `${count} rows, ${sum.toString(16).padStart(64, '0')}`;
}

/** Each column with its length before it, so that no two rows give the same bytes. */
function hashOf(columns: readonly (Buffer | null)[]): bigint {
  const hash = createHash('sha256');
  for (const column of columns) {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(column === null ? NULL_LENGTH : column.length);
    hash.update(length);
    if (column !== null) hash.update(column);
  }
  return BigInt(`0x${hash.digest('hex')}`);
}
