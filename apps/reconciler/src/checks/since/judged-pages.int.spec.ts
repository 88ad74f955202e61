import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TransferId } from '@surety/domain';
import type { Shard } from '@surety/db';
import { fundAccounts } from '@surety/saga';
import { aDeposit, eur } from '@surety/testing';
import { aPayerAndPayee, hex } from '@surety/testing/payer-and-payee';
import type { PayerAndPayee } from '@surety/testing/payer-and-payee';
import { checkSystem } from '../check-system.js';
import type { CheckRun } from '../check-system.js';
import { JudgedPages } from './judged-pages.js';

/** More than are read at a time: the last piece has no end, and is read again. */
const TRANSFERS = 251;

let system: PayerAndPayee;
let source: Shard;
let destination: Shard;
let first: TransferId;
let open: TransferId;

beforeAll(async () => {
  system = await aPayerAndPayee();
  ({ source, destination } = system);
  await check(new JudgedPages());
  open = await system.transferIn('held', 0, system.idOfNow());
  first = await system.transferIn('committed', 1, system.idOfNow());
  const deposits = Array.from({ length: TRANSFERS }, (_, n) => ({
    ...aDeposit(system.payer, eur(1), 100 + n),
    transferId: system.idOfNow(),
  }));
  await fundAccounts(source.store, deposits);
  await system.project();
  await system.remember();
}, 60_000);

afterAll(async () => {
  await system?.shards.drop();
});

afterEach(async () => {
  await system.heal();
});

function check(judged: JudgedPages): Promise<CheckRun> {
  const form = 'since' as const;
  return checkSystem(system.shards.pools, { form, judged, projectionPatienceMs: 1 });
}

function broken({ results }: CheckRun): readonly string[] {
  return results.flatMap(({ check: name, findings }) =>
    findings.map(({ key, problem }) => `${name}: ${key} ${problem}`),
  );
}

function transfersRead({ results }: CheckRun): number {
  return results.find((result) => result.check === 'histories')?.rowsChecked ?? 0;
}

/** After two checks, the second of which began a minute before the point of the first. */
async function judgedTwice(): Promise<JudgedPages> {
  const judged = new JudgedPages();
  expect(broken(await check(judged))).toEqual([]);
  expect(broken(await check(judged))).toEqual([]);
  return judged;
}

describe('a check after one that has read the same', () => {
  it('reads what is open and what was behind the last full page, and nothing else', async () => {
    const judged = new JudgedPages();
    const atFirst = transfersRead(await check(judged));
    expect(atFirst).toBeGreaterThan(TRANSFERS);
    // One is open, and met in both lists of those: of the point, and of now.
    expect(transfersRead(await check(judged))).toBeLessThan(10);
    expect(transfersRead(await check(new JudgedPages()))).toBeGreaterThanOrEqual(atFirst);
  });

  const CHANGED: readonly (readonly [string, () => Shard, () => string, () => string])[] = [
    [
      'the deletion of an event',
      () => source,
      () => `DELETE FROM transfer_events WHERE transfer_id = ${hex(first)} AND step = 20`,
      () => `histories: transfer ${first}`,
    ],
    [
      'an event of a decision',
      () => destination,
      () =>
        `INSERT INTO transfer_events SELECT transfer_id, 30, slot, 'credited', occurred_at, envelope ` +
        `FROM transfer_events WHERE transfer_id = ${hex(open)} AND step = 20 ` +
        `UNION SELECT ${hex(open)}, 30, slot, type, occurred_at, envelope ` +
        `FROM transfer_events WHERE transfer_id = ${hex(first)} AND step = 30`,
      () => `histories: event ${open}/30`,
    ],
    [
      'legs of no account',
      () => source,
      () =>
        'INSERT INTO ledger_entries SELECT transfer_id, step, leg + 5, slot, account_id, NULL, amount, ' +
        `currency, NULL, posted_at FROM ledger_entries WHERE transfer_id = ${hex(first)}`,
      () => `step-legs: transfer ${first}`,
    ],
    [
      'a decision of nobody',
      () => destination,
      () =>
        `INSERT INTO decisions SELECT ${hex(nextTo(first))}, part, slot, outcome, reason, source, ` +
        `destination, amount, currency FROM decisions WHERE transfer_id = ${hex(first)}`,
      () => `credits: decision ${nextTo(first)}`,
    ],
    [
      'a transfer whose id is of before the point',
      () => source,
      () =>
        `INSERT INTO transfers SELECT ${hex(nextTo(first))}, slot, kind, parent_id, tenant, source, ` +
        'destination, amount, currency, capture, state, reason, requested_at FROM transfers ' +
        `WHERE id = ${hex(first)}`,
      () => `histories: transfer ${nextTo(first)}`,
    ],
    [
      'a projected end of a transfer under way',
      () => source,
      () =>
        'INSERT INTO transaction_status (transfer_id, slot, status, reason, version, updated_at) ' +
        `VALUES (${hex(open)}, 1, 'committed', NULL, 10, NOW(6))`,
      () => `projections: transaction_status ${open}`,
    ],
    [
      'an ended transfer that is listed as open',
      () => source,
      () =>
        'INSERT INTO open_transfers SELECT slot, requested_at, id FROM transfers ' +
        `WHERE id = ${hex(first)}`,
      () => `open-transfers: transfer ${first}`,
    ],
    [
      'an open transfer that is not listed',
      () => source,
      () => "UPDATE placement SET listed_below = UNHEX(REPEAT('f', 32))",
      () => `open-transfers: transfer ${open}`,
    ],
  ];

  it.each(CHANGED)('names %s, and names it again', async (_what, shard, sql, name) => {
    const judged = await judgedTwice();
    const [result] = await shard().send([sql()]);
    expect(result?.affectedRows).toBeGreaterThan(0);
    for (const _ of [1, 2]) {
      expect(broken(await check(judged))).toContainEqual(expect.stringContaining(name()));
    }
    await system.heal();
    expect(broken(await check(judged))).toEqual([]);
  });

  it('follows what goes on in it', async () => {
    const judged = await judgedTwice();
    await system.advance(open, 'committed');
    await system.project();
    const run = await check(judged);
    expect(broken(run)).toEqual([]);
  });
});

/** The id behind this one: nobody has it, and it lies in the same page. */
function nextTo(id: TransferId): TransferId {
  const last = (Number.parseInt(id.slice(-1), 16) + 1) % 16;
  return `${id.slice(0, -1)}${last.toString(16)}`;
}
