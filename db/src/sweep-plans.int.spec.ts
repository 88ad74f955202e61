import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TransferId } from '@surety/domain';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import type { Session } from './connection/session.js';
import type { Shard } from './shard-pools.js';
import { uuid } from './connection/literals.js';
import { countRows } from './statements/check/count-rows.js';
import { listDecisionPage } from './statements/check/list-decision-page.js';
import { deleteExpiredKeys, listExpiredKeys } from './statements/reconciler/expired-keys.js';
import { listDecisions } from './statements/reconciler/list-decisions.js';
import { listExpiredHolds } from './statements/reconciler/list-expired-holds.js';
import { listOpenTransfers } from './statements/reconciler/list-open-transfers.js';
import { listStaleBalances } from './statements/reconciler/list-stale-balances.js';
import { listStaleStatuses } from './statements/reconciler/list-stale-statuses.js';
import { listTransfers } from './statements/reconciler/list-transfers.js';
import { readEvents } from './statements/reconciler/read-events.js';
import { nextListEnd } from './statements/reconciler/move-list-end.js';
import { openTransferTotals } from './statements/operator/open-transfer-totals.js';
import { outboxDepth } from './statements/relay/outbox-depth.js';

/** Finished transfers: 1000000 shows the same in some minutes. */
const HISTORY = Number(process.env['SURETY_TEST_HISTORY_ROWS'] ?? 100_000);
const BROKEN = 20;
const PAGE = 100;
const FILL_MS = 600_000;
const FIRST_MS = 1_700_000_000_000;

let shards: TestShards;
let shard: Shard;
let isMariaDb: boolean;

/** The id of the n-th transfer, as SQL and here. */
const ID_SQL =
  `UNHEX(CONCAT(LPAD(HEX(${FIRST_MS} + n), 12, '0'), '7', LPAD(HEX(n MOD 4096), 3, '0'), ` +
  "'8000', LPAD(HEX(n), 12, '0')))";

function idOf(n: number): TransferId {
  const digits = (value: number, length: number): string =>
    value.toString(16).padStart(length, '0');
  const ms = digits(FIRST_MS + n, 12);
  const slot = digits(n % 4096, 3);
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${slot}-8000-${digits(n, 12)}`;
}

const FILL: readonly string[] = [
  `INSERT INTO transfers SELECT ${ID_SQL}, n MOD 4096, 'transfer', NULL, 'default', 'payer', ` +
    "'payee', 100, 'EUR', 'auto', 'committed', NULL, NOW(6) - INTERVAL 2 DAY FROM numbers",
  `INSERT INTO transaction_status SELECT ${ID_SQL}, n MOD 4096, 'committed', NULL, 40, NOW(6) ` +
    'FROM numbers',
  `INSERT INTO transfer_events SELECT ${ID_SQL}, 40, n MOD 4096, 'committed', NOW(6), '{}' ` +
    'FROM numbers',
  `INSERT INTO decisions SELECT ${ID_SQL}, 0, n MOD 4096, 'credited', NULL, 'payer', 'payee', 100, ` +
    "'EUR' FROM numbers",
  `INSERT INTO idempotency_keys SELECT n MOD 4096, UNHEX(LPAD(HEX(n), 64, '0')), x'01', ${ID_SQL}, ` +
    'NULL, NOW(6), NOW(6) + INTERVAL 1 DAY FROM numbers ORDER BY 1, 2',
  "INSERT INTO accounts SELECT CONCAT('account-', LPAD(n, 8, '0')), n MOD 4096, 'customer', NULL, " +
    "'default', 'EUR', 'open', 0, 0, 100, 0, 0, 3, 1, NULL, NOW(6) FROM numbers WHERE n < 20000",
  'INSERT INTO balances SELECT id, slot, currency, balance, held, version, NOW(6) FROM accounts',
];

/** Some open work and some broken rows among all that. */
const BREAK: readonly string[] = [
  `INSERT INTO open_transfers SELECT n MOD 4096, NOW(6) - INTERVAL 1 HOUR, ${ID_SQL} FROM numbers ` +
    `WHERE n < ${BROKEN}`,
  `UPDATE transfers SET state = 'held' WHERE id IN (SELECT transfer_id FROM open_transfers)`,
  `INSERT INTO holds SELECT ${ID_SQL}, n MOD 4096, 'payer', 100, NOW(6) - INTERVAL 1 MINUTE ` +
    `FROM numbers WHERE n < ${BROKEN}`,
  `INSERT INTO outbox (topic, topic_partition, payload, created_at) SELECT 'ended', 0, '[]', NOW(6) ` +
    `FROM numbers WHERE n < ${BROKEN}`,
  `UPDATE idempotency_keys SET expires_at = NOW(6) - INTERVAL 1 HOUR WHERE slot < ${BROKEN}`,
];

beforeAll(async () => {
  shards = await createTestShards({ answerTimeoutMs: FILL_MS });
  shard = shards.pools.shards[0]!;
  const [version] = await shard.send(['SELECT VERSION()']);
  isMariaDb = String(version?.rows[0]?.[0]).includes('MariaDB');
  await shard.send([
    'CREATE TABLE numbers (n INT UNSIGNED NOT NULL PRIMARY KEY)',
    'INSERT INTO numbers VALUES (0)',
  ]);
  for (let size = 1; size < HISTORY; size *= 2) {
    await shard.send([
      `INSERT INTO numbers SELECT n + ${size} FROM numbers WHERE n + ${size} < ${HISTORY}`,
    ]);
  }
  for (const statement of [...FILL, ...BREAK]) await shard.send([statement]);
  const tables = ['transfers', 'transaction_status', 'transfer_events', 'decisions', 'accounts'];
  await shard.send(tables.map((table) => `ANALYZE TABLE ${table}`));
}, FILL_MS);

afterAll(async () => {
  await shards?.drop();
});

interface Seen {
  readonly statements: string[];
  /** Rows that the engine was asked for. */
  readonly reads: number;
}

/** Runs a statement in a session that counts what it reads. */
async function watch(work: (session: Session) => Promise<unknown>): Promise<Seen> {
  const statements: string[] = [];
  let reads = 0;
  await work({
    id: shard.id,
    send: async (asked) => {
      statements.push(...asked);
      const count = "SHOW SESSION STATUS LIKE 'Handler_read%'";
      const results = await shard.send(['FLUSH STATUS', ...asked, count]);
      for (const row of results.at(-1)?.rows ?? []) reads += Number(row[1]);
      return results.slice(1, -1);
    },
  });
  return { statements, reads };
}

/** Tables of a plan that are read from end to end without a bound. */
async function scansOf(statement: string): Promise<string[]> {
  if (!/^(SELECT|DELETE)/.test(statement)) return [];
  const explain = isMariaDb ? 'EXPLAIN' : 'EXPLAIN FORMAT=TRADITIONAL';
  const [plan] = await shard.send([`${explain} ${statement}`]);
  // MySQL shows partitions between the table and the type.
  const at = isMariaDb ? 3 : 4;
  return (plan?.rows ?? []).flatMap((row) => {
    const [table, type] = [String(row[2]), String(row[at])];
    // A derived page is small, and a plan that knows its answer names no table.
    const isOurs = !table.startsWith('<') && table !== 'null';
    return isOurs && type === 'ALL' ? [table] : [];
  });
}

const some = Array.from({ length: BROKEN }, (_, n) => idOf(n));
const middle = idOf(Math.floor(HISTORY / 2));

describe('a statement of the sweeps, among all that is finished', () => {
  it.each<[string, (session: Session) => Promise<unknown>, number]>([
    ['expired holds', (session) => listExpiredHolds(session, PAGE), 3 * BROKEN],
    ['open transfers', (session) => listOpenTransfers(session, 1000, undefined, PAGE), 8 * BROKEN],
    ['decisions of some', (session) => listDecisions(session, some), 3 * BROKEN],
    ['transfers of some', (session) => listTransfers(session, some), 3 * BROKEN],
    [
      'events of some',
      (session) =>
        readEvents(
          session,
          some.map((transferId) => ({ transferId, step: 40 as const })),
        ),
      3 * BROKEN,
    ],
    ['age of the outbox', (session) => outboxDepth(session), 4 * BROKEN],
  ])('%s reads what is broken and no more', async (_, work, readsMax) => {
    const { statements, reads } = await watch(work);
    expect((await Promise.all(statements.map(scansOf))).flat()).toEqual([]);
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThanOrEqual(readsMax + SMALL);
  });

  it.each<[string, (session: Session) => Promise<unknown>]>([
    ['decisions from the head', (session) => listDecisionPage(session, undefined, PAGE)],
    ['decisions from the middle', (session) => listDecisionPage(session, middle, PAGE)],
    ['statuses from the head', (session) => listStaleStatuses(session, undefined, PAGE)],
    ['statuses from the middle', (session) => listStaleStatuses(session, middle, PAGE)],
    ['balances from the head', (session) => listStaleBalances(session, undefined, PAGE)],
    ['balances from the middle', (session) => listStaleBalances(session, 'account-00010000', PAGE)],
    ['keys from the head', (session) => listExpiredKeys(session, undefined, PAGE)],
    [
      'keys from the middle',
      (session) => listExpiredKeys(session, { slot: 2048, keyHash: '0'.repeat(64) }, PAGE),
    ],
  ])('a page of %s reads the page and no more', async (_, work) => {
    const { statements, reads } = await watch(work);
    expect((await Promise.all(statements.map(scansOf))).flat()).toEqual([]);
    expect(reads).toBeGreaterThanOrEqual(PAGE);
    expect(reads).toBeLessThanOrEqual(PAGE * READS_A_ROW + SMALL);
  });

  it.each<[string, (session: Session) => Promise<unknown>]>([
    ['a page of them', (session) => listOpenTransfers(session, 1000, undefined, PAGE)],
    ['their totals', (session) => openTransferTotals(session)],
    ['how many', (session) => countRows(session, ['open_transfers'])],
    ['where it ends next', (session) => nextListEnd(session, { rows: PAGE - 1, keepMs: 0 })],
  ])('of open transfers reads the list and what lies behind its end: %s', async (_, work) => {
    const end = `UPDATE placement SET listed_below = ${uuid(idOf(HISTORY - PAGE - 1))}`;
    await shard.send([end]);
    const { statements, reads } = await watch(work);
    const scanned = (await Promise.all(statements.map(scansOf))).flat();
    // One row, and the list itself, of which all is asked for.
    expect(scanned.filter((table) => !['placement', 'open_transfers'].includes(table))).toEqual([]);
    expect(reads).toBeGreaterThanOrEqual(PAGE);
    expect(reads).toBeLessThanOrEqual((PAGE + BROKEN) * READS_A_ROW + SMALL);
  });

  it('removes expired keys by their own key', async () => {
    const { expired } = await listExpiredKeys(shard, undefined, PAGE);
    expect(expired.length).toBeGreaterThan(0);
    const { reads } = await watch((session) => deleteExpiredKeys(session, expired));
    expect(reads).toBeLessThanOrEqual(expired.length * READS_A_ROW + SMALL);
    expect((await listExpiredKeys(shard, undefined, 1)).expired).toEqual([]);
  });
});

/** What a temporary table of a page and the lookups beside it come to, a row. */
const READS_A_ROW = 12;
/** Ends of ranges, the dictionary, the placement. */
const SMALL = 100;
