/** How much lies in the tables of all shards. */
import { createConnection } from 'mysql2/promise';

const BYTES_PER_MEGABYTE = 2 ** 20;
const SIZE =
  'SELECT SUM(data_length + index_length) AS bytes FROM information_schema.tables ' +
  'WHERE table_schema = ?';

/**
 * Throws binary logs away besides: nobody replicates here, and they would fill the disk.
 * @param {{ adminUrl: string, shardUrls: string[] }} system
 */
export async function megabytesOf({ adminUrl, shardUrls }) {
  const connection = await createConnection({ uri: adminUrl });
  try {
    await connection.query('PURGE BINARY LOGS BEFORE NOW()');
    let bytes = 0;
    for (const url of shardUrls) {
      const [[sum]] = await connection.query(SIZE, [new URL(url).pathname.slice(1)]);
      bytes += Number(sum.bytes);
    }
    return Math.round(bytes / BYTES_PER_MEGABYTE);
  } finally {
    await connection.end();
  }
}
