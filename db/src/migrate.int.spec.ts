import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { migrateShards } from './migrate.js';

const WRONG = 'not-the-password';
let shards: TestShards;

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => shards.drop());

function urlOf(shard: number, changes: Partial<URL> = {}): URL {
  return Object.assign(new URL(shards.urls[shard] as string), changes);
}

/** What comes of it when the first shard is as it was, and the second is found at another URL. */
async function failure(second: URL): Promise<Error> {
  const urls = [urlOf(0).href, second.href];
  return migrateShards(urls).then(
    () => new Error('it was migrated'),
    (error: unknown) => error as Error,
  );
}

function placeOf({ host, pathname }: URL): string {
  return `shard 1 (${host}${pathname}): `;
}

/** With the causes: whoever prints them goes down to the last. */
function told(error: unknown): string {
  const { message = '', cause } = error as { message?: string; cause?: unknown };
  return cause === undefined ? message : `${message}\n${told(cause)}`;
}

it.each<[string, () => Partial<URL>, RegExp]>([
  ['a wrong password', () => ({ password: WRONG }), /^Access denied for user '\w+'@/],
  [
    'a schema that is not there',
    () => ({ pathname: `/${randomBytes(6).toString('hex')}` }),
    /^Unknown database/,
  ],
  // Port 1 belongs to a service that nobody runs any more.
  ['a server that is away', () => ({ port: '1' }), /^connect ECONNREFUSED/],
])('the shard with %s is named, and why', async (_what, changes, reason) => {
  const printed = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const url = urlOf(1, changes());
  const error = await failure(url);
  expect(error.message.slice(0, placeOf(url).length)).toBe(placeOf(url));
  expect(error.message.slice(placeOf(url).length)).toMatch(reason);
  expect((error.cause as Error).message).toMatch(reason);
  expect(told(error)).not.toContain(WRONG);
  expect(printed).not.toHaveBeenCalled();
});

it('a migration that fails is named with its shard, without its statements', async () => {
  const warned = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const [, shard] = shards.pools.shards;
  await shard!.send([
    `DELETE FROM knex_migrations WHERE name LIKE '0012%'`,
    'RENAME TABLE placement TO hidden',
  ]);
  const url = urlOf(1);
  const error = await failure(url);
  const reason = /Table '\w+\.placement' doesn't exist/;
  expect(error.message).toMatch(reason);
  expect(error.message.replace(reason, '…')).toBe(`${placeOf(url)}0012_listed_below.sql: …`);
  expect(told(error)).not.toContain('ALTER TABLE');
  expect(warned).not.toHaveBeenCalled();
  await shard!.send(['RENAME TABLE hidden TO placement']);
  await migrateShards(shards.urls);
});
