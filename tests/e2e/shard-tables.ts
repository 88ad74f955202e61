import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';

type Row = Record<string, unknown>;

/** Reads a shard with statements of the specs' own, knowing only the tables. */
export class ShardTables {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async open(url: string): Promise<ShardTables> {
    const connection = await createConnection({
      uri: url,
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
    });
    return new ShardTables(connection);
  }

  async rows(sql: string, values: unknown[] = []): Promise<Row[]> {
    const [rows] = await this.#connection.query(sql, values);
    return rows as Row[];
  }

  /** Every row of the tables as text, in key order: equal texts are equal tables. */
  async dump(tables: readonly string[]): Promise<string> {
    const parts: string[] = [];
    for (const table of tables) {
      const rows = await this.rows(`SELECT * FROM ${table}`);
      const lines = rows.map((row) =>
        JSON.stringify(row, (_, value: unknown) => (isBuffer(value) ? value.data : value)),
      );
      parts.push(table, ...lines.sort());
    }
    return parts.join('\n');
  }

  async close(): Promise<void> {
    await this.#connection.end();
  }
}

function isBuffer(value: unknown): value is { type: 'Buffer'; data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
}

/** Opens all shards, runs the work and closes them whatever comes of it. */
export async function withShards<T>(
  urls: readonly string[],
  work: (shards: readonly ShardTables[]) => Promise<T>,
): Promise<T> {
  const shards = await Promise.all(urls.map((url) => ShardTables.open(url)));
  try {
    return await work(shards);
  } finally {
    await Promise.allSettled(shards.map((shard) => shard.close()));
  }
}
