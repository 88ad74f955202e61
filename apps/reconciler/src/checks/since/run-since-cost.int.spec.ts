import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { slotOfAccount } from '@surety/domain';
import type { SlotRange } from '@surety/domain';
import { countRows } from '@surety/db';
import type { Session } from '@surety/db';
import { aPayerAndPayee } from '@surety/testing/payer-and-payee';
import type { PayerAndPayee } from '@surety/testing/payer-and-payee';
import { AT_ONCE } from '../../give-way.js';
import type { CheckScope } from '../scope.js';
import { runSince } from './run-since.js';

const FINISHED = 200_000;
const ACCOUNTS = 10;
const FILL_TIMEOUT_MS = 600_000;

const DIGITS = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(' UNION ALL ');
const ID = "UNHEX(CONCAT(LPAD(HEX(1600000000000 + n), 12, '0'), '70008', LPAD(HEX(n), 15, '0')))";
const SOURCE = `CONCAT('old-', n MOD ${ACCOUNTS})`;
const DESTINATION = `CONCAT('old-', (n + 1) MOD ${ACCOUNTS})`;
/** Each account pays and receives in turn: two legs for every round of the ten. */
const PAID_SEQ = `2 * (n DIV ${ACCOUNTS}) + 2`;
const RECEIVED_SEQ = `2 * (n DIV ${ACCOUNTS}) + 1`;

/** Committed transfers of long ago, as the steps leave them behind, and what was verified of them. */
const FILL = [
  'CREATE TABLE numbers (n INT NOT NULL PRIMARY KEY)',
  'INSERT INTO numbers SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d ' +
    `FROM (${DIGITS}) AS a, (${DIGITS}) AS b, (${DIGITS}) AS c, (${DIGITS}) AS e, (${DIGITS}) AS f, ` +
    '(SELECT 0 AS d UNION ALL SELECT 1) AS g',
  `INSERT INTO transfers SELECT ${ID}, 0, 'transfer', NULL, 'default', ${SOURCE}, ${DESTINATION}, 1, ` +
    "'EUR', 'auto', 'committed', NULL, '2020-09-13 12:26:40' FROM numbers",
  ...['10, 0, "requested"', '20, 0, "held"', '30, 0, "credited"', '40, 0, "committed"'].map(
    (event) =>
      `INSERT INTO transfer_events SELECT ${ID}, ${event.replaceAll('"', "'")}, ` +
      "'2020-09-13 12:26:40', '{}' FROM numbers",
  ),
  `INSERT INTO decisions SELECT ${ID}, 0, 0, 'credited', NULL, ${SOURCE}, ${DESTINATION}, 1, 'EUR' ` +
    'FROM numbers',
  ...[
    `30, 0, 0, ${DESTINATION}, ${RECEIVED_SEQ}, 1, 'EUR', 1`,
    `30, 1, 0, '~transit:0:EUR', NULL, -1, 'EUR', NULL`,
    `40, 0, 0, ${SOURCE}, ${PAID_SEQ}, -1, 'EUR', 0`,
    `40, 1, 0, '~transit:0:EUR', NULL, 1, 'EUR', NULL`,
  ].map(
    (leg) => `INSERT INTO ledger_entries SELECT ${ID}, ${leg}, '2020-09-13 12:26:40' FROM numbers`,
  ),
  `INSERT INTO transaction_status SELECT ${ID}, 0, 'committed', NULL, 40, NOW(6) FROM numbers`,
  "INSERT INTO accounts SELECT CONCAT('old-', n), CRC32(CONCAT('old-', n)) MOD 4096, 'customer', NULL, 'default', 'EUR', 'open', 0, " +
    `0, 0, 0, 0, ${(4 * FINISHED) / ACCOUNTS}, ${(2 * FINISHED) / ACCOUNTS}, NULL, NOW(6) ` +
    `FROM numbers WHERE n < ${ACCOUNTS}`,
  'INSERT INTO balances SELECT id, slot, currency, balance, held, version, NOW(6) FROM accounts ' +
    "WHERE id LIKE 'old-%'",
  'INSERT INTO verified_accounts SELECT id, slot, balance, version, entry_seq FROM accounts',
];

let system: PayerAndPayee;

beforeAll(async () => {
  system = await aPayerAndPayee();
  // A statement makes 200,000 rows: on a busy machine that takes longer than a statement may elsewhere.
  await system.source.pool.useOnce(async (link) => {
    for (const statement of FILL) await link.send([statement], { timeoutMs: FILL_TIMEOUT_MS });
  });
}, FILL_TIMEOUT_MS);

afterAll(async () => {
  await system?.shards.drop();
});

/** Rows that the engine has handed over to statements of this connection. */
async function rowsRead(session: Pick<Session, 'send'>): Promise<number> {
  const [result] = await session.send(["SHOW SESSION STATUS LIKE 'Handler_read%'"]);
  return (result?.rows ?? []).reduce((sum, row) => sum + Number(row[1]), 0);
}

/** The second shard carries this slot alone. */
function rangesBut(slot: number): SlotRange[] {
  return [0, slot, slot + 1].map((fromSlot, at) => ({ fromSlot, shard: at % 2 }));
}

/** The check over live rows of two connections, whose reads can be counted. */
async function rowsReadByCheck(verifiedAtMs: number): Promise<number> {
  const { source, destination, shards, payee } = system;
  return source.pool.useOnce((first) =>
    destination.pool.useOnce(async (second) => {
      const timeoutMs = 60_000;
      const snapshots: Session[] = [first, second].map((link, id) => ({
        id,
        send: (statements) => link.send(statements, { timeoutMs }),
      }));
      const scope: CheckScope = {
        snapshots,
        // The history lies on the first shard, whatever its accounts are called.
        map: { epoch: 1n, ranges: rangesBut(slotOfAccount(payee)) },
        snapshotOf: (slot) => snapshots[slot < 2_048 ? 0 : 1] as Session,
        liveShard: (id) => shards.pools.shards[id]!,
        count: async (...tables) => {
          const counts = await Promise.all(snapshots.map((one) => countRows(one, tables)));
          return counts.flatMap((rows) => [...rows.values()]).reduce((sum, n) => sum + n, 0);
        },
        projectionPatienceMs: 1,
        giveWay: AT_ONCE,
      };
      const before = (await rowsRead(first)) + (await rowsRead(second));
      const results = await runSince(scope, verifiedAtMs);
      const after = (await rowsRead(first)) + (await rowsRead(second));
      expect(results.flatMap(({ findings }) => findings)).toEqual([]);
      return after - before;
    }),
  );
}

it('what the check reads grows with what is new, and not with the history', async () => {
  const verifiedAtMs = Date.now();
  await system.project();
  const atRest = await rowsReadByCheck(verifiedAtMs);
  const transfers = 20;
  for (let n = 1; n <= transfers; n += 1) {
    await system.transferIn('committed', n, system.idOfNow());
  }
  await system.project();
  const withNew = await rowsReadByCheck(verifiedAtMs);
  const [counts] = await system.source.send(['SELECT COUNT(*) FROM ledger_entries']);
  expect(Number(counts?.rows[0]?.[0])).toBeGreaterThan(4 * FINISHED);
  // Every account, every message and every open transfer is read; each a few times.
  expect(atRest).toBeLessThan(1_500);
  expect(withNew - atRest).toBeLessThan(150 * transfers);
}, 120_000);
