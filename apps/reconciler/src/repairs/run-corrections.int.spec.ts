import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TransferId } from '@surety/domain';
import { findAccount, readBalance } from '@surety/db';
import { checkSystem } from '../checks/check-system.js';
import type { CheckRun } from '../checks/check-system.js';
import { aPayerAndPayee, hex } from '@surety/testing/payer-and-payee';
import type { Goal, PayerAndPayee } from '@surety/testing/payer-and-payee';
import { correctFoundProjections, runCorrections } from './run-corrections.js';
import type { CorrectionReport } from './run-corrections.js';

const AUTHOR = { actor: 'operator:ada', reason: 'a disk told lies' };

let system: PayerAndPayee;
let ids: Readonly<Record<Goal, TransferId>>;

beforeAll(async () => {
  system = await aPayerAndPayee();
  const { transferIn } = system;
  ids = {
    requested: await transferIn('requested', 1),
    held: await transferIn('held', 2),
    credited: await transferIn('credited', 3),
    committed: await transferIn('committed', 4),
    rejected: await transferIn('rejected', 5),
    cancelled: await transferIn('cancelled', 6),
  };
  await system.project();
  await system.remember();
});

afterEach(async () => {
  await system.heal();
});

afterAll(async () => {
  await system?.shards.drop();
});

function check(): Promise<CheckRun> {
  return checkSystem(system.shards.pools, { form: 'full', projectionPatienceMs: 1 });
}

function correctAll(dryRun = false): Promise<CorrectionReport> {
  const options = {
    form: 'full',
    dryRun,
    holdTimeoutMs: 300_000,
    projectionPatienceMs: 1,
  } as const;
  return runCorrections(system.shards.pools, { ...AUTHOR, ...options });
}

async function moneyRows(): Promise<string> {
  const tables = [
    ...['accounts', 'transfers', 'open_transfers', 'holds', 'transfer_events', 'decisions'],
    ...['ledger_entries', 'outbox', 'balances', 'transaction_status', 'audit_log'],
  ];
  const { source, destination } = system;
  const statements = tables.map((table) => `SELECT * FROM ${table} ORDER BY 1, 2, 3`);
  const rows = [await source.send(statements), await destination.send(statements)];
  return JSON.stringify(rows.flatMap((results) => results.map((result) => result.rows)));
}

interface Breakage {
  readonly what: string;
  readonly on?: 'destination';
  readonly sql: () => readonly string[];
  /** What is set right, or what is refused and why. */
  readonly corrected?: () => readonly string[];
  readonly refused?: () => readonly [key: string, why: string];
}

/** A row about the held transfer, of which none is needed. */
const tellOfHeld = (status: string, version: number): string =>
  'INSERT INTO transaction_status (transfer_id, slot, status, reason, version, updated_at) ' +
  `VALUES (${hex(ids.held)}, 1, '${status}', NULL, ${version}, NOW(6))`;
const held = (): string => `transfer_id = ${hex(ids.held)}`;
const committedLeg = (): string =>
  `transfer_id = ${hex(ids.committed)} AND account_id = '${system.payer}'`;

const BREAKAGES: readonly Breakage[] = [
  {
    what: 'an altered balance',
    sql: () => [`UPDATE accounts SET balance = balance + 1 WHERE id = '${system.payer}'`],
    corrected: () => [`account ${system.payer}`],
  },
  {
    what: 'an altered held',
    sql: () => [`UPDATE accounts SET held = held + 1 WHERE id = '${system.payer}'`],
    corrected: () => [`account ${system.payer}`],
  },
  {
    what: 'balance and held altered, and the projection with them',
    sql: () => [
      `UPDATE accounts SET balance = balance + 7, held = 0 WHERE id = '${system.payer}'`,
      `UPDATE balances SET balance = balance + 7, held = 0 WHERE account_id = '${system.payer}'`,
    ],
    corrected: () => [`account ${system.payer}`],
  },
  {
    what: 'a hold of another amount',
    sql: () => [`UPDATE holds SET amount = amount + 1 WHERE ${held()}`],
    corrected: () => [`transfer ${ids.held}`],
  },
  {
    what: 'a hold on another account',
    sql: () => [`UPDATE holds SET account_id = '${system.idle}' WHERE ${held()}`],
    corrected: () => [`transfer ${ids.held}`],
  },
  {
    what: 'a deleted hold',
    sql: () => [`DELETE FROM holds WHERE ${held()}`],
    corrected: () => [`transfer ${ids.held}`],
  },
  {
    what: 'a deleted hold, and held lowered with it',
    sql: () => [
      `DELETE FROM holds WHERE ${held()}`,
      `UPDATE accounts SET held = held - 1000 WHERE id = '${system.payer}'`,
    ],
    corrected: () => [`transfer ${ids.held}`, `account ${system.payer}`],
  },
  {
    what: 'a hold that was left over',
    sql: () => [
      `INSERT INTO holds SELECT ${hex(ids.committed)}, slot, account_id, amount, expires_at ` +
        `FROM holds WHERE ${held()}`,
    ],
    corrected: () => [`transfer ${ids.committed}`],
  },
  {
    what: 'a hold of a transfer that does not exist',
    sql: () => [
      `INSERT INTO holds SELECT REVERSE(transfer_id), slot, account_id, amount, expires_at ` +
        `FROM holds WHERE ${held()}`,
    ],
    refused: () => ['transfer ', 'look again'],
  },
  {
    what: 'an open transfer that is not listed',
    sql: () => [`DELETE FROM open_transfers WHERE transfer_id = ${hex(ids.requested)}`],
    corrected: () => [`transfer ${ids.requested}`],
  },
  {
    what: 'an open transfer listed under another time',
    sql: () => [`UPDATE open_transfers SET since = since - INTERVAL 1 DAY WHERE ${held()}`],
    corrected: () => [`transfer ${ids.held}`],
  },
  {
    what: 'an ended transfer that is listed as open',
    sql: () => [
      'INSERT INTO open_transfers SELECT slot, requested_at, id FROM transfers ' +
        `WHERE id = ${hex(ids.rejected)}`,
    ],
    corrected: () => [`transfer ${ids.rejected}`],
  },
  {
    what: 'an open transfer that is listed and newer than the list',
    sql: () => [`UPDATE placement SET listed_below = ${hex(ids.requested)}`],
    corrected: () => [`transfer ${ids.requested}`],
  },
  {
    what: 'a state ahead of its events',
    sql: () => [`UPDATE transfers SET state = 'held' WHERE id = ${hex(ids.requested)}`],
    corrected: () => [`transfer ${ids.requested}`],
  },
  {
    what: 'a state behind its events',
    sql: () => [`UPDATE transfers SET state = 'held' WHERE id = ${hex(ids.committed)}`],
    corrected: () => [`transfer ${ids.committed}`],
  },
  {
    what: 'a state of another end',
    sql: () => [
      `UPDATE transfers SET state = 'rejected', reason = 'held_limit' WHERE id = ${hex(ids.cancelled)}`,
    ],
    corrected: () => [`transfer ${ids.cancelled}`],
  },
  {
    what: 'a reason of another kind',
    sql: () => [`UPDATE transfers SET reason = 'held_limit' WHERE id = ${hex(ids.cancelled)}`],
    corrected: () => [`transfer ${ids.cancelled}`],
  },
  {
    what: 'a state whose event was taken away',
    sql: () => [
      `DELETE FROM transfer_events WHERE transfer_id = ${hex(ids.committed)} AND step = 20`,
    ],
    refused: () => [`transfer ${ids.committed}`, 'no legal path'],
  },
  {
    what: 'an end that was taken away with its event',
    sql: () => [
      `DELETE FROM transfer_events WHERE transfer_id = ${hex(ids.committed)} AND step = 40`,
    ],
    refused: () => [`transfer ${ids.committed}`, 'its legs are not those'],
  },
  {
    what: 'a transfer with another amount',
    sql: () => [`UPDATE transfers SET amount = amount + 1 WHERE id = ${hex(ids.held)}`],
    refused: () => [`transfer ${ids.held}`, 'tells other terms'],
  },
  {
    what: 'a transfer that vanished',
    sql: () => [`DELETE FROM transfers WHERE id = ${hex(ids.credited)}`],
    refused: () => [`decision ${ids.credited}`, 'has no row'],
  },
  {
    what: 'an altered leg',
    sql: () => [`UPDATE ledger_entries SET amount = amount - 1 WHERE ${committedLeg()}`],
    refused: () => [`account ${system.payer}`, 'its ledger is not sound'],
  },
  {
    what: 'a leg altered together with all that follows from it',
    sql: () => [
      `UPDATE ledger_entries SET amount = amount - 1, balance_after = balance_after - 1 ` +
        `WHERE ${committedLeg()}`,
      `UPDATE accounts SET balance = balance - 2 WHERE id = '${system.payer}'`,
    ],
    refused: () => [`account ${system.payer}`, 'has no event that says the same'],
  },
  {
    what: 'an entry put in with its event, counted by the account',
    sql: () => [
      'INSERT INTO ledger_entries SELECT REVERSE(l.transfer_id), l.step, l.leg, l.slot, ' +
        'l.account_id, a.entry_seq + 1, l.amount, l.currency, a.balance + l.amount, l.posted_at ' +
        'FROM ledger_entries AS l JOIN accounts AS a ON a.id = l.account_id ' +
        `WHERE ${committedLeg()}`,
      'INSERT INTO transfer_events SELECT REVERSE(e.transfer_id), e.step, e.slot, e.type, ' +
        `e.occurred_at, REPLACE(e.envelope, CONCAT('[["', l.account_id, '","', o.balance_after, '"'), ` +
        `CONCAT('[["', l.account_id, '","', l.balance_after, '"')) FROM transfer_events AS e ` +
        'JOIN ledger_entries AS l ON l.transfer_id = REVERSE(e.transfer_id) AND l.step = e.step ' +
        'JOIN ledger_entries AS o ON o.transfer_id = e.transfer_id AND o.step = e.step ' +
        'AND o.leg = l.leg AND o.account_id = l.account_id ' +
        `WHERE e.transfer_id = ${hex(ids.committed)} AND e.step = 40`,
      `UPDATE accounts SET entry_seq = entry_seq + 1 WHERE id = '${system.payer}'`,
    ],
    refused: () => [`account ${system.payer}`, 'has no event that says the same'],
  },
  {
    what: 'an account in another currency',
    sql: () => [`UPDATE accounts SET currency = 'USD' WHERE id = '${system.payer}'`],
    refused: () => [`account ${system.payer}`, 'its entries are in EUR'],
  },
  {
    what: 'a deleted leg',
    sql: () => [`DELETE FROM ledger_entries WHERE ${committedLeg()}`],
    refused: () => [`account ${system.payer}`, 'its ledger is not sound'],
  },
  {
    what: 'an inserted leg',
    sql: () => [
      'INSERT INTO ledger_entries SELECT transfer_id, step, 9, slot, account_id, 99, 5, currency, ' +
        `5, posted_at FROM ledger_entries WHERE ${committedLeg()}`,
    ],
    refused: () => [`account ${system.payer}`, 'its ledger is not sound'],
  },
  {
    what: 'an altered decision',
    on: 'destination',
    sql: () => [
      "UPDATE decisions SET outcome = 'credited', reason = NULL " +
        `WHERE transfer_id = ${hex(ids.cancelled)}`,
    ],
    refused: () => [`transfer ${ids.cancelled}`, 'with the decision that stands'],
  },
  {
    what: 'a deleted decision',
    on: 'destination',
    sql: () => [`DELETE FROM decisions WHERE transfer_id = ${hex(ids.committed)}`],
    refused: () => [`transfer ${ids.committed}`, 'with the decision that stands'],
  },
  {
    what: 'a key without its transfer',
    sql: () => [
      'UPDATE idempotency_keys SET transfer_id = REVERSE(transfer_id) ' + `WHERE ${held()}`,
    ],
    refused: () => ['key ', 'which key made which transfer'],
  },
  {
    what: 'an account that lies on the other shard as well',
    on: 'destination',
    sql: () => [
      'INSERT INTO accounts SELECT * FROM ' +
        `${new URL(system.shards.urls[0] as string).pathname.slice(1)}.accounts ` +
        `WHERE id = '${system.idle}'`,
    ],
    refused: () => [`account ${system.idle}`, 'its slot or its shard'],
  },
  {
    what: 'a message that nobody wrote',
    sql: () => ["UPDATE outbox SET payload = REPLACE(payload, '1000', '9000')"],
    refused: () => ['message toSource', 'never rewritten'],
  },
  {
    what: 'an altered projected balance',
    sql: () => [`UPDATE balances SET balance = balance + 1 WHERE account_id = '${system.payer}'`],
    corrected: () => [`balances ${system.payer}`],
  },
  {
    what: 'a projected balance in another slot',
    sql: () => [
      `UPDATE balances SET slot = (slot + 1) MOD 4096 WHERE account_id = '${system.payer}'`,
    ],
    corrected: () => [`balances ${system.payer}`],
  },
  {
    what: 'a projected balance newer than the truth',
    sql: () => [`UPDATE balances SET version = version + 9 WHERE account_id = '${system.payer}'`],
    corrected: () => [`balances ${system.payer}`],
  },
  {
    what: 'a projected balance of nobody, and one that is missing',
    sql: () => [`UPDATE balances SET account_id = 'ghost-0' WHERE account_id = '${system.idle}'`],
    corrected: () => ['balances ghost-0'],
  },
  {
    what: 'an altered projected status',
    sql: () => [
      `UPDATE transaction_status SET status = 'committed' WHERE transfer_id = ${hex(ids.rejected)}`,
    ],
    corrected: () => [`transaction_status ${ids.rejected}`],
  },
  {
    what: 'a projected status newer than the truth',
    sql: () => [
      `UPDATE transaction_status SET version = 50 WHERE transfer_id = ${hex(ids.rejected)}`,
    ],
    corrected: () => [`transaction_status ${ids.rejected}`],
  },
  {
    what: 'a projected status newer than the truth of a transfer under way',
    sql: () => [tellOfHeld('held', 50)],
    corrected: () => [`transaction_status ${ids.held}`],
  },
  {
    what: 'a projected end of a transfer under way',
    sql: () => [tellOfHeld('committed', 40)],
    corrected: () => [`transaction_status ${ids.held}`],
  },
];

const CORRECTED = BREAKAGES.filter(({ corrected }) => corrected);
const REFUSED = BREAKAGES.filter(({ refused }) => refused);

async function breakIt({ sql, on }: Breakage): Promise<void> {
  const results = await (on ? system.destination : system.source).send(sql());
  expect(results.every(({ affectedRows }) => affectedRows > 0)).toBe(true);
  expect((await check()).ok).toBe(false);
}

describe('what has one right answer', () => {
  it.each(CORRECTED.map((breakage) => [breakage.what, breakage] as const))(
    'is set right, in one transaction with its line: %s',
    async (_what, breakage) => {
      await breakIt(breakage);
      const report = await correctAll();
      expect(report.refused).toEqual([]);
      expect(report.corrected.map(({ key }) => key)).toEqual(
        expect.arrayContaining([...breakage.corrected!()]),
      );
      expect((await check()).results.flatMap(({ findings }) => findings)).toEqual([]);
      const lines = await Promise.all(
        system.shards.pools.shards.map((shard) =>
          shard.send(["SELECT actor, reason FROM audit_log WHERE action LIKE 'correct.%'"]),
        ),
      );
      const rows = lines.flatMap((results) => results[0]?.rows ?? []);
      expect(rows).toEqual(report.corrected.map(() => [AUTHOR.actor, AUTHOR.reason]));
    },
  );

  it('is only told of in a dry run, under the same locks', async () => {
    for (const breakage of CORRECTED) {
      await breakIt(breakage);
      const before = await moneyRows();
      const report = await correctAll(true);
      expect(report.refused).toEqual([]);
      expect(report.corrected.length).toBeGreaterThan(0);
      expect(await moneyRows()).toBe(before);
      await system.heal();
    }
  });

  it('gives the account a version that no copy has', async () => {
    const { source, payer } = system;
    const before = await findAccount(source, payer);
    await source.send([`UPDATE accounts SET balance = balance + 1 WHERE id = '${payer}'`]);
    await correctAll();
    const after = await findAccount(source, payer);
    expect(after).toMatchObject({ balance: before!.balance, version: before!.version + 1n });
    expect(await readBalance(source, payer)).toMatchObject({
      balance: before!.balance,
      version: before!.version + 1n,
    });
    await system.advance(ids.held, 'committed');
    await system.project();
    expect((await check()).ok).toBe(true);
  });

  it('lets the transfer go on to its end', async () => {
    await system.source.send([`DELETE FROM holds WHERE ${held()}`]);
    await correctAll();
    await system.advance(ids.held, 'committed');
    await system.project();
    expect((await check()).ok).toBe(true);
  });
});

describe('what has not', () => {
  it.each(REFUSED.map((breakage) => [breakage.what, breakage] as const))(
    'is refused in words, and left as it is: %s',
    async (_what, breakage) => {
      await breakIt(breakage);
      const before = await moneyRows();
      const { refused, corrected } = await correctAll();
      const [key, why] = breakage.refused!();
      expect(corrected).toEqual([]);
      expect(refused.map((one) => `${one.key}: ${one.why}`)).toContainEqual(
        expect.stringMatching(new RegExp(`^${key}.*${why}`)),
      );
      expect(await moneyRows()).toBe(before);
    },
  );

  it('is not copied into a projection', async () => {
    const { source, payer } = system;
    await source.send([
      `UPDATE ledger_entries SET amount = amount - 1 WHERE ${committedLeg()}`,
      `UPDATE accounts SET balance = balance - 1 WHERE id = '${payer}'`,
    ]);
    const before = await readBalance(source, payer);
    const { refused, corrected } = await correctAll();
    expect(corrected).toEqual([]);
    expect(refused).toContainEqual(
      expect.objectContaining({ key: `balances ${payer}`, check: 'projections' }),
    );
    expect(await readBalance(source, payer)).toEqual(before);
    const run = await check();
    expect(await correctFoundProjections(system.shards.pools, run, AUTHOR)).toEqual([]);
  });
});

describe('beside the workers', () => {
  it('nothing is corrected that is only under way', async () => {
    const writers = Array.from({ length: 10 }, (_, at) => system.transferIn('committed', 200 + at));
    let done = false;
    const everything = Promise.allSettled(writers).finally(() => {
      done = true;
    });
    for (let round = 0; round < 50 && !done; round += 1) {
      const { corrected, refused } = await correctAll();
      const money = [...corrected, ...refused].filter(({ key }) => /^(account|transfer)/.test(key));
      expect(money).toEqual([]);
    }
    await everything;
    await system.project();
    expect((await check()).results.flatMap(({ findings }) => findings)).toEqual([]);
  });
});
