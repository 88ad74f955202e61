import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { evenSlotMap } from '@surety/domain';
import type { ShardId, SlotMap } from '@surety/domain';
import knexModule from 'knex';
import type { Knex } from 'knex';
import { driverSettings, sessionStatements } from './connection/settings.js';
import { SILENT } from './connection/silent-log.js';
import { MigrationError, reasonOf, withoutStatement } from './migration-error.js';
import { packageRoot } from './package-root.js';
import { parseRanges } from './slot-map-store.js';

export interface MigrationOptions {
  readonly log?: (line: string) => void;
}

/** Bounds the wait for another migration of the same schema. */
const LOCK_WAIT_SECONDS = 60;
/** A table may be rebuilt while nothing travels on the connection. */
const MIGRATION_WAIT_TIMEOUT_SECONDS = 3600;
const MIGRATION_FILE = /^\d{4}_[a-z_]+\.sql$/;

interface MigratedShard {
  readonly id: ShardId;
  readonly url: string;
  readonly knex: Knex;
}

/**
 * Brings every shard's schema to the newest form and writes the first placements. Safe to repeat,
 * also after an interruption and beside another migration of the same schemas.
 * @throws MigrationError for the first shard that cannot be reached, or refuses something
 */
export async function migrateShards(
  migrationUrls: readonly string[],
  options: MigrationOptions = {},
): Promise<void> {
  const shards = migrationUrls.map((url, id) => ({ id, url, knex: open(url) }));
  try {
    for (const shard of shards) {
      const applied = await told(shard, migrateSchema(shard));
      const news = applied.length > 0 ? applied.join(', ') : 'up to date';
      options.log?.(`shard ${shard.id}: ${news}`);
    }
    await placeShards(shards);
  } finally {
    await Promise.all(shards.map(({ knex }) => knex.destroy()));
  }
}

async function told<T>({ id, url }: MigratedShard, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new MigrationError(id, url, withoutStatement(error));
  }
}

function open(url: string): Knex {
  const setUp = sessionStatements(MIGRATION_WAIT_TIMEOUT_SECONDS);
  return knexModule({
    client: 'mysql2',
    connection: driverSettings(url),
    log: SILENT,
    pool: {
      min: 0,
      max: 4,
      afterCreate: (
        connection: { query(sql: string, callback: (error: Error | null) => void): void },
        done: (error: Error | null, connection: unknown) => void,
      ) => {
        connection.query(setUp, (error) => {
          done(error, connection);
        });
      },
    },
  });
}

/**
 * knex keeps its own lock in a table, which a migration that was killed leaves behind. A lock of the
 * session ends with it; whoever has that one may free the other.
 */
async function migrateSchema({ knex, url }: MigratedShard): Promise<string[]> {
  const lockName = `surety:${driverSettings(url).database}`.slice(0, 64);
  return withSessionLock(knex, lockName, async () => {
    const config = { migrationSource: new SqlFiles(join(packageRoot(), 'migrations')) };
    if (await knex.schema.hasTable('knex_migrations_lock')) {
      await knex.migrate.forceFreeMigrationsLock(config);
    }
    const [, applied] = (await knex.migrate.latest(config)) as [number, string[]];
    return applied;
  });
}

async function withSessionLock<T>(knex: Knex, name: string, work: () => Promise<T>): Promise<T> {
  const client = knex.client as {
    acquireConnection(): Promise<unknown>;
    releaseConnection(connection: unknown): Promise<void>;
  };
  const connection = await client.acquireConnection();
  try {
    const [answer] = (await knex
      .raw('SELECT GET_LOCK(?, ?) AS taken', [name, LOCK_WAIT_SECONDS])
      .connection(connection)) as [{ taken: number | string | null }[]];
    if (Number(answer[0]?.taken) !== 1) throw new Error(`another migration holds ${name}`);
    try {
      return await work();
    } finally {
      await knex.raw('SELECT RELEASE_LOCK(?)', [name]).connection(connection);
    }
  } finally {
    await client.releaseConnection(connection);
  }
}

/** Migrations are plain SQL files, forward only, in the order of their numbers. */
class SqlFiles implements Knex.MigrationSource<string> {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  getMigrations(): Promise<string[]> {
    const files = readdirSync(this.#folder).filter((file) => file.endsWith('.sql'));
    const stray = files.find((file) => !MIGRATION_FILE.test(file));
    if (stray) throw new Error(`${stray} is not named NNNN_noun.sql`);
    return Promise.resolve(files.sort());
  }

  getMigrationName(file: string): string {
    return file;
  }

  getMigration(file: string): Promise<Knex.Migration> {
    const sql = readFileSync(join(this.#folder, file), 'utf8');
    return Promise.resolve({
      // Tables are made and changed outside transactions on these engines.
      config: { transaction: false },
      up: async (knex) => {
        try {
          await knex.raw(sql);
        } catch (error) {
          throw new Error(`${file}: ${reasonOf(withoutStatement(error))}`, { cause: error });
        }
      },
      down: () => Promise.reject(new Error('migrations only go forward')),
    });
  }
}

/** Shards without a placement join the map that the others have, or the even one where none has. */
async function placeShards(shards: readonly MigratedShard[]): Promise<void> {
  const placements = await Promise.all(
    shards.map((shard) => told(shard, readPlacement(shard.knex))),
  );
  const map = newestMap(placements) ?? evenSlotMap(shards.length);
  const absent = map.ranges.find(({ shard }) => shard >= shards.length);
  if (absent) {
    throw new Error(
      `the slot map names shard ${absent.shard}, and only ${shards.length} are given`,
    );
  }
  for (const shard of shards) {
    const { id } = shard;
    const placement = placements[id];
    if (!placement) await told(shard, insertPlacement(shard, map));
    else if (placement.shard !== id) {
      throw new Error(`the URL of shard ${id} leads to shard ${placement.shard}`);
    }
  }
}

interface Placement {
  readonly shard: ShardId;
  readonly map: SlotMap;
}

async function readPlacement(knex: Knex): Promise<Placement | undefined> {
  const [rows] = (await knex.raw('SELECT shard, epoch, slot_map FROM placement WHERE id = 1')) as [
    { shard: number; epoch: string; slot_map: string }[],
  ];
  const row = rows[0];
  if (!row) return undefined;
  const map = { epoch: BigInt(row.epoch), ranges: parseRanges(row.slot_map) };
  return { shard: row.shard, map };
}

function newestMap(placements: readonly (Placement | undefined)[]): SlotMap | undefined {
  let newest: SlotMap | undefined;
  for (const placement of placements) {
    if (placement && (!newest || placement.map.epoch > newest.epoch)) newest = placement.map;
  }
  return newest;
}

/** IGNORE only where a migration at the same time wrote the very same row. */
async function insertPlacement({ knex, id }: MigratedShard, map: SlotMap): Promise<void> {
  await knex.raw('INSERT IGNORE INTO placement (id, shard, epoch, slot_map) VALUES (1, ?, ?, ?)', [
    id,
    map.epoch.toString(),
    JSON.stringify(map.ranges),
  ]);
}
