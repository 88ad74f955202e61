import { createConnection } from 'mysql2';
import type { Connection, TypeCast } from 'mysql2';

/** A row as text: every column as the server wrote it, and null. */
export type TextRow = Readonly<Record<string, string | null>>;

/** Rows of one shard, read as they stream in, so that a table may be larger than memory. */
export class ShardReader {
  readonly shard: number;
  readonly #connection: Connection;

  constructor(shard: number, url: string) {
    this.shard = shard;
    this.#connection = createConnection({ uri: url, charset: 'utf8mb4' });
    this.#connection.on('error', () => undefined);
  }

  async *rows(sql: string): AsyncGenerator<TextRow> {
    yield* this.#stream(sql, (field) => field.string()) as AsyncGenerator<TextRow>;
  }

  /** The columns' bytes as they travelled, in the order of the table. */
  async *bytes(sql: string): AsyncGenerator<(Buffer | null)[]> {
    for await (const row of this.#stream(sql, (field) => field.buffer())) {
      yield Object.values(row as Record<string, Buffer | null>);
    }
  }

  async tables(): Promise<string[]> {
    const names: string[] = [];
    for await (const row of this.rows('SHOW TABLES')) names.push(String(Object.values(row)[0]));
    return names.sort();
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#connection.end(() => resolve()));
  }

  #stream(sql: string, typeCast: TypeCast): AsyncGenerator {
    const stream = this.#connection.query({ sql, typeCast }).stream({ highWaterMark: 500 });
    return stream[Symbol.asyncIterator]() as AsyncGenerator;
  }
}

/** Opens all shards in their order and closes them whatever comes of the work. */
export async function withShardReaders<T>(
  urls: readonly string[],
  work: (readers: readonly ShardReader[]) => Promise<T>,
): Promise<T> {
  const readers = urls.map((url, shard) => new ShardReader(shard, url));
  try {
    return await work(readers);
  } finally {
    await Promise.allSettled(readers.map((reader) => reader.close()));
  }
}
