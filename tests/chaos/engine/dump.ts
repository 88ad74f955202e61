import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createConnection } from 'mysql2';
import type { Connection } from 'mysql2';

/** Every row of every table as a line of JSON, a file for each table of each shard. */
export async function dumpTables(shardUrls: readonly string[], directory: string): Promise<void> {
  for (const [shard, uri] of shardUrls.entries()) {
    const connection = createConnection({
      uri,
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
    });
    try {
      for (const table of await tablesOf(connection)) {
        const file = join(directory, `shard${shard}.${table}.jsonl`);
        await pipeline(
          connection.query(`SELECT * FROM \`${table}\``).stream(),
          asLines,
          createWriteStream(file),
        );
      }
    } finally {
      connection.destroy();
    }
  }
}

async function* asLines(rows: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const row of rows) {
    const shown = Object.entries(row).map(([column, value]: [string, unknown]) => [
      column,
      Buffer.isBuffer(value) ? value.toString('hex') : value,
    ]);
    yield `${JSON.stringify(Object.fromEntries(shown))}\n`;
  }
}

function tablesOf(connection: Connection): Promise<string[]> {
  return new Promise((resolve, reject) => {
    connection.query('SHOW TABLES', (error, rows) => {
      if (error) reject(error);
      else resolve((rows as object[]).map((row) => String(Object.values(row)[0])));
    });
  });
}
