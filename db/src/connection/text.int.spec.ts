import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NO_CHANGES } from '@surety/saga';
import type { Changes } from '@surety/saga';
import { aKeyHash, aTransferId, anAccount } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import type { Shard } from '../shard-pools.js';
import { withSnapshot } from '../snapshots.js';
import { insertDeadLetter } from '../statements/operations/insert-dead-letter.js';
import { listAuditEntries } from '../statements/operator/list-audit-entries.js';
import { storedText, text } from './literals.js';

const CONTROLS = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('');
const LATIN1 = Array.from({ length: 128 }, (_, code) => String.fromCharCode(128 + code)).join('');

const TEXTS: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['plain JSON', '{"a":"1"}'],
  ['single quotes', "it's ''"],
  ['double quotes', '"'],
  ['backslashes', "\\ \\\\ \\n \\'"],
  ['control characters', `${CONTROLS}\u007f`],
  ['characters of Latin-1', LATIN1],
  ['characters of two, three and four bytes', 'ü € 😀 \u{10ffff}'],
  ['all of them', `'"\\${CONTROLS}${LATIN1}€😀{"a":"\\u00e9"}`],
  ['what looks like a literal', "_utf8mb4 x'41' _binary'b' '; DROP TABLE outbox; -- "],
  ['wildcards and placeholders', '% _ ? ?? :name'],
  ['spaces at its end', 'a  '],
];

let shards: TestShards;
let shard: Shard;

beforeAll(async () => {
  shards = await createTestShards();
  shard = shards.pools.shards[0]!;
});

afterAll(async () => {
  await shards?.drop();
});

async function only(sql: string): Promise<unknown> {
  const [result] = await shard.send([sql]);
  return result?.rows[0]?.[0];
}

it('statements are read in a single-byte character set, answers come in utf8mb4', async () => {
  const sql = 'SELECT @@character_set_client, @@character_set_connection, @@character_set_results';
  const expected = ['latin1', 'utf8mb4', 'utf8mb4'];
  expect((await shard.send([sql]))[0]?.rows).toEqual([expected]);
  const [inSnapshot] = await withSnapshot(shard, (snapshot) => snapshot.send([sql]));
  expect(inSnapshot?.rows).toEqual([expected]);
});

describe.each(TEXTS)('a text with %s', (_, value) => {
  it('is ASCII in a statement and comes back as it was', async () => {
    for (const literal of [text(value), storedText(value)]) {
      expect(Buffer.byteLength(literal)).toBe(literal.length);
      expect(await only(`SELECT CONVERT(${literal} USING utf8mb4)`)).toBe(value);
    }
    expect(await only(`SELECT ${text(value)}`)).toBe(value);
    expect(Number(await only(`SELECT CHAR_LENGTH(${text(value)})`))).toBe(Array.from(value).length);
  });
});

describe.each(TEXTS.map(([name, value], n) => [name, value, n] as const))(
  'a row with %s',
  (_, value, n) => {
    it('of every table comes back as it was', async () => {
      const changes = changesWith(value, n);
      await shard.store.transact({}, () => ({
        changes: { ...NO_CHANGES, ...changes },
        result: undefined,
      }));
      expect(await only(`SELECT metadata FROM accounts WHERE id = 'text-${n}'`)).toBe(value);
      expect(await only(`SELECT answer FROM idempotency_keys WHERE slot = ${n}`)).toBe(value);
      expect(await only(`SELECT payload FROM outbox WHERE topic_partition = ${n}`)).toBe(value);
      expect(await only(`SELECT envelope FROM transfer_events WHERE slot = ${n}`)).toBe(value);
      const found = `SELECT COUNT(*) FROM transfer_events WHERE slot = ${n} AND envelope = ${text(value)}`;
      expect(Number(await only(found))).toBe(1);
      const [line] = await listAuditEntries(shard, { actor: value }, 1);
      expect(line).toMatchObject({ actor: value, reason: value, before: { state: value } });
    });

    it('of the dead letters comes back as it was', async () => {
      await insertDeadLetter(shard, {
        ...{ consumer: 'workers', topic: 'ended', partition: n, offset: 1n, slot: null },
        ...{ eventId: null, payload: value, error: value },
      });
      const sql = `SELECT payload, error FROM dead_letters WHERE topic_partition = ${n}`;
      expect((await shard.send([sql]))[0]?.rows).toEqual([[value, value]]);
    });
  },
);

it('bytes that are no UTF-8 are refused by the column', async () => {
  const sql =
    'INSERT INTO outbox (topic, topic_partition, payload, created_at) ' +
    "VALUES ('ended', 99, x'ff', NOW(6))";
  await expect(shard.send([sql])).rejects.toThrow();
});

function changesWith(value: string, n: number): Partial<Changes> {
  const at = '2026-01-31T12:00:00.123456Z';
  return {
    accountsInserted: [{ ...anAccount(`text-${n}`), metadata: value }],
    keys: [
      {
        ...{ slot: n, keyHash: aKeyHash(`text-${n}`), fingerprint: `01${aKeyHash('print')}` },
        ...{ transferId: null, answer: value, createdAt: at, expiresAt: at },
      },
    ],
    events: [
      {
        ...{ transferId: aTransferId('payer', n), step: 10, slot: n, type: 'requested' },
        ...{ occurredAt: at, envelope: value },
      },
    ],
    outbox: [{ topic: 'ended', partition: n, payload: value }],
    audit: [
      {
        ...{ actor: value, action: 'spec.write', slot: n, reason: value },
        ...{ before: { state: value }, after: { state: value } },
      },
    ],
  };
}
