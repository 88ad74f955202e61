import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { evenSlotMap, slotOfAccount, slotOfTransferId } from '@surety/domain';
import { aTransferId } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { misplacedRows, withSnapshot } from '../../index.js';
import type { MisplacedRow, Session, Shard } from '../../index.js';

const TRANSFERS = 300;
const TIME = "'2026-01-31 12:00:00'";

/** All slots are the one shard's. */
const map = evenSlotMap(1);

let shards: TestShards;
let shard: Shard;

const NUMBERS = Array.from({ length: TRANSFERS }, (_, n) => n);
/** All characters that an account's id may have. */
const accountId = (n: number): string => `${'Az.:_-09'.slice(n % 8)}${n}`;
const payee = (n: number): string => accountId(n + 1);
const transferId = (n: number): string => aTransferId(accountId(n), n);
const hex = (id: string): string => `x'${id.replaceAll('-', '')}'`;

function rows(values: (n: number, slot: number, to: number) => readonly string[]): string {
  return NUMBERS.flatMap((n) => values(n, slotOfAccount(accountId(n)), slotOfAccount(payee(n))))
    .map((row) => `(${row})`)
    .join(', ');
}

/** Transfers as their steps leave them behind, with every slot as the domain has it. */
function filled(): string[] {
  return [
    `INSERT INTO accounts VALUES ${rows((n, slot) => [
      `'${accountId(n)}', ${slot}, 'customer', NULL, 'default', 'EUR', 'open', 0, 0, 0, 0, 0, 2, 2, NULL, ${TIME}`,
    ])}`,
    `INSERT INTO transfers VALUES ${rows((n, slot) => [
      `${hex(transferId(n))}, ${slot}, 'transfer', NULL, 'default', '${accountId(n)}', '${payee(n)}', 1, 'EUR', 'auto', 'committed', NULL, ${TIME}`,
    ])}`,
    `INSERT INTO transfer_events VALUES ${rows((n, slot, to) =>
      [10, 20, 30, 40].map(
        (step) =>
          `${hex(transferId(n))}, ${step}, ${step === 30 ? to : slot}, 'held', ${TIME}, '{}'`,
      ),
    )}`,
    `INSERT INTO decisions VALUES ${rows((n, _, to) => [
      `${hex(transferId(n))}, 0, ${to}, 'credited', NULL, '${accountId(n)}', '${payee(n)}', 1, 'EUR'`,
    ])}`,
    `INSERT INTO ledger_entries VALUES ${rows((n, slot, to) => [
      `${hex(transferId(n))}, 30, 0, ${to}, '${payee(n)}', 1, 1, 'EUR', 1, ${TIME}`,
      `${hex(transferId(n))}, 30, 1, ${to}, '~transit:${to}:EUR', NULL, -1, 'EUR', NULL, ${TIME}`,
      `${hex(transferId(n))}, 40, 0, ${slot}, '${accountId(n)}', 2, -1, 'EUR', 0, ${TIME}`,
      `${hex(transferId(n))}, 40, 1, ${slot}, '~external:${slot}:EUR', NULL, 1, 'EUR', NULL, ${TIME}`,
    ])}`,
    `INSERT INTO idempotency_keys VALUES ${rows((n, slot) => [
      `${slot}, UNHEX(SHA2('${n}', 256)), x'01', ${hex(transferId(n))}, NULL, ${TIME}, ${TIME}`,
    ])}`,
    'INSERT INTO balances SELECT id, slot, currency, balance, held, version, created_at FROM accounts',
    'INSERT INTO transaction_status SELECT id, slot, state, reason, 40, requested_at FROM transfers',
  ];
}

async function inOrder(statements: readonly string[]): Promise<void> {
  for (const statement of statements) await shard.send([statement]);
}

const TABLES = [
  ...['accounts', 'transfers', 'transfer_events', 'decisions', 'ledger_entries'],
  ...['idempotency_keys', 'balances', 'transaction_status'],
];

beforeAll(async () => {
  shards = await createTestShards();
  shard = shards.pools.shards[0]!;
  await inOrder(filled());
  await inOrder(TABLES.map((table) => `CREATE TABLE right_${table} AS SELECT * FROM ${table}`));
  await shard.send([`ANALYZE TABLE ${TABLES.join(', ')}`]);
});

afterEach(async () => {
  await inOrder(
    TABLES.flatMap((table) => [
      `DELETE FROM ${table}`,
      `INSERT INTO ${table} SELECT * FROM right_${table}`,
    ]),
  );
});

afterAll(async () => {
  await shards?.drop();
});

/** Rows that the engine has handed over to statements of this connection. */
async function handedOver(snapshot: Session): Promise<number> {
  const [result] = await snapshot.send(["SHOW SESSION STATUS LIKE 'Handler_read%'"]);
  return (result?.rows ?? []).reduce((sum, row) => sum + Number(row[1]), 0);
}

describe('rows in another slot', () => {
  it('are none where every slot is as the domain has it', async () => {
    expect(await misplacedRows(shard, map)).toEqual([]);
  });

  it('are looked for by one scan of each table, and a decision for each event of one', async () => {
    const read = await withSnapshot(shard, async (snapshot) => {
      await misplacedRows(snapshot, map);
      const counts = [await handedOver(snapshot), await handedOver(snapshot)] as const;
      await misplacedRows(snapshot, map);
      return (await handedOver(snapshot)) - counts[1] - (counts[1] - counts[0]);
    });
    // Accounts, transfers, decisions, keys and both projections; four events, four legs, a decision.
    expect(read).toBeLessThan(TRANSFERS * (6 + 4 + 4 + 1) + 100);
  });

  it('are told up to a bound, each with where it belongs', async () => {
    await inOrder(
      TABLES.map((table) => `UPDATE ${table} SET slot = (slot + 1) MOD 4096 ORDER BY slot DESC`),
    );
    const found = await misplacedRows(shard, map);
    const counts = TABLES.map((table) => found.filter((row) => row.table === table).length);
    expect(counts).toEqual([100, 100, 100, 100, 100, 100, 100, 100]);
    for (const row of found) expect(row.slot).not.toBe(row.rightSlot);
    const first = (table: string): MisplacedRow | undefined =>
      found.find((row) => row.table === table && row.rightSlot !== null);
    for (const table of ['accounts', 'balances']) {
      expect(first(table)?.rightSlot).toBe(slotOfAccount(first(table)!.id));
    }
    for (const table of ['transfers', 'transaction_status']) {
      expect(first(table)?.rightSlot).toBe(slotOfTransferId(first(table)!.id));
    }
  });

  it('are all those whose slot another shard carries', async () => {
    const isHere = ({ slot }: MisplacedRow): boolean => slot < 2_048;
    const found = await misplacedRows(shard, evenSlotMap(2));
    expect(found.filter(isHere)).toEqual([]);
    for (const table of TABLES) {
      const [result] = await shard.send([`SELECT COUNT(*) FROM ${table} WHERE slot >= 2048`]);
      const count = Math.min(100, Number(result?.rows[0]?.[0]));
      expect(count).toBeGreaterThan(0);
      expect(found.filter((row) => row.table === table)).toHaveLength(count);
    }
  });

  it('are the events of a decision as their decision is, which is where its destination is', async () => {
    await shard.send(['UPDATE decisions SET slot = (slot + 1) MOD 4096']);
    const found = await misplacedRows(shard, map);
    expect(found.filter(({ table }) => table === 'decisions')).toHaveLength(100);
    const events = found.filter(({ table }) => table === 'transfer_events');
    expect(events.every(({ step }) => step === 30)).toBe(true);
  });
});
