import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { slotOfAccount } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { insertSeal, listSealParts, listSeals, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import { applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import {
  aDeposit,
  aTransferId,
  aTransferRequest,
  anAccountIdOn,
  anOpening,
  eur,
} from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { hashSeal } from './encoding.js';
import type { VerifyFinding } from './findings.js';
import { sealShard } from './seal-shard.js';
import { verifyShard } from './verify-shard.js';
import type { ShardVerification } from './verify-shard.js';

const STEPS = { holdTimeoutMs: 3_600_000, actor: 'saga' };
const TABLES = [
  'accounts',
  'transfers',
  'transfer_events',
  'decisions',
  'ledger_entries',
  'ledger_seals',
  'ledger_seal_parts',
  'ledger_seal_positions',
];

let shards: TestShards;
let source: Shard;
let destination: Shard;
let payer: string;
let other: string;
let payee: string;
/** Of the payer's entry 2, 3, … in their order. */
let committed: TransferId[];

async function eventOn(shard: Shard, id: TransferId, step: number): Promise<Envelope> {
  const row = (await readTimeline(shard, id)).find((one) => one.step === step);
  return readEnvelope(row!.envelope);
}

let n = 0;

async function commitTransfer(from: string): Promise<TransferId> {
  n += 1;
  const request = aTransferRequest({ n, source: from, destination: payee, amount: eur(10_00) });
  const id = request.transferId;
  await requestTransfers(source.store, [request]);
  await applySteps(source.store, [await eventOn(source, id, 10)], STEPS);
  await applySteps(destination.store, [await eventOn(source, id, 20)], STEPS);
  await applySteps(source.store, [await eventOn(destination, id, 30)], STEPS);
  return id;
}

function hex(id: TransferId): string {
  return `x'${id.replaceAll('-', '')}'`;
}

function onBothShards(statements: readonly string[]): Promise<unknown> {
  return Promise.all(shards.pools.shards.map((shard) => shard.send(statements)));
}

/** Runs SQL that must hit something: a forgery that changed nothing would prove nothing. */
async function forge(...statements: string[]): Promise<void> {
  for (const { affectedRows } of await source.send(statements)) {
    expect(affectedRows).toBeGreaterThan(0);
  }
}

type Expected = Partial<VerifyFinding>;

async function findings(shard: Shard = source): Promise<readonly VerifyFinding[]> {
  return (await verifyShard(shard)).findings;
}

function verifyAll(): Promise<ShardVerification[]> {
  return Promise.all(shards.pools.shards.map((shard) => verifyShard(shard)));
}

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [source, destination] = shards.pools.shards as [Shard, Shard];
  const map = shards.pools.slotMaps.current();
  [payer, other] = [anAccountIdOn(map, 0, 'payer'), anAccountIdOn(map, 0, 'second')];
  payee = anAccountIdOn(map, 1, 'payee');
  await openAccounts(source.store, [anOpening(payer), anOpening(other)]);
  await openAccounts(destination.store, [anOpening(payee)]);
  const deposits = [aDeposit(payer, eur(100_00), 1), aDeposit(other, eur(100_00), 2)];
  await fundAccounts(source.store, deposits);
  committed = [];
  // Two seals on each shard: the payer's entries 1 to 3, then 4 and 5.
  for (let k = 0; k < 2; k += 1) committed.push(await commitTransfer(payer));
  await commitTransfer(other);
  await Promise.all(shards.pools.shards.map((shard) => sealShard(shard)));
  for (let k = 0; k < 2; k += 1) committed.push(await commitTransfer(payer));
  await Promise.all(shards.pools.shards.map((shard) => sealShard(shard)));
  await onBothShards(
    TABLES.map((table) => `CREATE TABLE healthy_${table} AS SELECT * FROM ${table}`),
  );
});

afterAll(async () => {
  await shards?.drop();
});

/** Every test begins with the same ledger and seals. */
afterEach(async () => {
  await onBothShards(
    TABLES.flatMap((table) => [
      `DELETE FROM ${table}`,
      `INSERT INTO ${table} SELECT * FROM healthy_${table}`,
    ]),
  );
});

describe('a ledger that nobody touched', () => {
  it('is verified whole, with the last seal as far as it goes', async () => {
    const [first, second] = await verifyAll();
    expect(first).toMatchObject({ seals: 2, entries: 7n, unsealedEntries: 0n, findings: [] });
    expect(second).toMatchObject({ seals: 2, entries: 5n, unsealedEntries: 0n, findings: [] });
    expect(first?.head).toMatchObject({ seal: 2n });
  });

  it('is not sealed again while nothing is posted', async () => {
    expect(await sealShard(source)).toMatchObject({ seals: [], entries: 0n, isBehind: false });
    expect((await verifyShard(source)).seals).toBe(2);
  });

  it('shows what was posted since the last seal as not sealed yet', async () => {
    await commitTransfer(payer);
    expect(await verifyShard(source)).toMatchObject({ unsealedEntries: 1n, findings: [] });
    expect(await sealShard(source)).toMatchObject({ entries: 1n, faults: [] });
    expect(await verifyShard(source)).toMatchObject({ unsealedEntries: 0n, entries: 8n });
  });

  it('is verified since a seal: what was sealed before it is not compared', async () => {
    await forge(
      `UPDATE ledger_entries SET amount = amount + 1 WHERE account_id = '${payer}' AND entry_seq = 2`,
    );
    expect(await verifyShard(source, { sinceSeal: 1n })).toMatchObject({
      seals: 1,
      entries: 2n,
      findings: [],
    });
    expect((await verifyShard(source)).findings).toHaveLength(1);
  });

  it('comes to the same verdict in seals of two entries, a large account over several of them', async () => {
    await source.send([
      'DELETE FROM ledger_seals',
      'DELETE FROM ledger_seal_parts',
      'DELETE FROM ledger_seal_positions',
    ]);
    const pass = await sealShard(source, { sealEntriesMax: 2n });
    expect(pass).toMatchObject({ entries: 7n, isBehind: false, faults: [] });
    expect(pass.seals.map(({ entries }) => entries)).toEqual([2n, 2n, 2n, 1n]);
    expect(await verifyShard(source)).toMatchObject({ seals: 4, entries: 7n, findings: [] });
    const payerParts = (
      await Promise.all([1n, 2n, 3n, 4n].map((n) => listSealParts(source, n, 10)))
    )
      .flat()
      .filter(({ account }) => account === payer);
    expect(payerParts.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([
      [1n, 2n],
      [3n, 4n],
      [5n, 5n],
    ]);
  });
});

/** The payer's entry with this number. */
function at(seq: number): string {
  return `account_id = '${payer}' AND entry_seq = ${seq}`;
}

/** The legs of the step that wrote the payer's entry with this number (from 2 on). */
function stepOf(seq: number): string {
  return `transfer_id = ${hex(committed[seq - 2]!)} AND step = 40`;
}

function entry(seq: number, fields: Expected): Expected {
  const transferId = committed[seq - 2]!;
  return { account: payer, entrySeq: BigInt(seq), transferId, step: 40, ...fields };
}

const ENTRY = { subject: 'entry' } as const;

describe('an altered ledger names the very entry', () => {
  it.each<[string, string[], () => Expected]>([
    ['amount', [`amount = amount - 1`], () => entry(3, { kind: 'altered', ...ENTRY })],
    ['balance_after', [`balance_after = 0`], () => entry(3, { kind: 'altered', ...ENTRY })],
    [
      'amount and balance_after alike',
      ['amount = amount - 1', 'balance_after = balance_after - 1'],
      () => entry(3, { kind: 'altered', ...ENTRY }),
    ],
    ['currency', ["currency = 'USD'"], () => entry(3, { kind: 'altered', ...ENTRY })],
    [
      'time',
      ['posted_at = posted_at + INTERVAL 1 MICROSECOND'],
      () => entry(3, { kind: 'altered', ...ENTRY }),
    ],
    ['slot', ['slot = slot + 1'], () => entry(3, { kind: 'altered', ...ENTRY })],
  ])('where its %s was changed', async (_, changes, expected) => {
    for (const change of changes) await forge(`UPDATE ledger_entries SET ${change} WHERE ${at(3)}`);
    expect(await findings()).toEqual([expect.objectContaining(expected())]);
  });

  it.each<[string, string]>([
    ['amount', 'amount = amount + 1'],
    ['account', "account_id = '~transit:1:EUR'"],
  ])("where the %s of its step's other leg was changed", async (_, change) => {
    await forge(`UPDATE ledger_entries SET ${change} WHERE ${stepOf(3)} AND entry_seq IS NULL`);
    expect(await findings()).toEqual([
      expect.objectContaining(entry(3, { kind: 'altered', seal: 1n, ...ENTRY })),
    ]);
  });

  it('where both legs of a step, its event and its transfer tell another amount', async () => {
    const id = committed[1]!;
    await forge(
      `UPDATE ledger_entries SET amount = amount * 2 WHERE ${stepOf(3)}`,
      `UPDATE ledger_entries SET balance_after = balance_after - 1000 WHERE ${at(3)}`,
      `UPDATE transfers SET amount = 2000 WHERE id = ${hex(id)}`,
      `UPDATE transfer_events SET envelope = REPLACE(envelope, '"1000"', '"2000"') WHERE transfer_id = ${hex(id)}`,
    );
    expect(await findings()).toEqual([expect.objectContaining(entry(3, { kind: 'altered' }))]);
  });

  it('where two entries changed places', async () => {
    await forge(
      `UPDATE ledger_entries SET entry_seq = 1000 WHERE ${at(2)}`,
      `UPDATE ledger_entries SET entry_seq = 2 WHERE ${at(4)}`,
      `UPDATE ledger_entries SET entry_seq = 4 WHERE ${at(1000)}`,
    );
    expect(await findings()).toEqual([
      expect.objectContaining(
        entry(2, {
          kind: 'altered',
          detail: expect.objectContaining({ nowTransfer: committed[2] }) as never,
        }),
      ),
      expect.objectContaining(
        entry(4, {
          kind: 'altered',
          detail: expect.objectContaining({ nowTransfer: committed[0] }) as never,
        }),
      ),
    ]);
  });
});

describe('a ledger that lost rows names what is gone', () => {
  it('where one entry was deleted, with the transfer and step that it belonged to', async () => {
    await forge(`DELETE FROM ledger_entries WHERE ${at(3)}`);
    expect(await findings()).toEqual([
      expect.objectContaining(entry(3, { kind: 'removed', seal: 1n, ...ENTRY })),
    ]);
  });

  it('where all legs of a step were deleted, its event too', async () => {
    await forge(
      `DELETE FROM ledger_entries WHERE ${stepOf(3)}`,
      `DELETE FROM transfer_events WHERE ${stepOf(3)}`,
    );
    expect(await findings()).toEqual([
      expect.objectContaining(entry(3, { kind: 'removed', ...ENTRY })),
    ]);
  });

  it('where the other leg of a step was deleted: that leg', async () => {
    await forge(`DELETE FROM ledger_entries WHERE ${stepOf(3)} AND entry_seq IS NULL`);
    const slot = slotOfAccount(payer);
    expect(await findings()).toEqual([
      expect.objectContaining(
        entry(3, {
          kind: 'removed',
          subject: 'leg',
          problem: `leg 1 on ~transit:${slot}:EUR was taken out of its step`,
        }),
      ),
    ]);
  });

  it('where the newest entries were cut off, and the account counted down with them', async () => {
    await forge(
      `DELETE FROM ledger_entries WHERE ${stepOf(4)}`,
      `DELETE FROM ledger_entries WHERE ${stepOf(5)}`,
      `UPDATE accounts SET entry_seq = 3, balance = balance + 2000 WHERE id = '${payer}'`,
    );
    const found = await findings();
    expect(found.slice(0, 2)).toEqual([
      expect.objectContaining(entry(4, { kind: 'removed', seal: 2n })),
      expect.objectContaining(entry(5, { kind: 'removed', seal: 2n })),
    ]);
    expect(found.slice(2)).toEqual([
      expect.objectContaining({ subject: 'account', account: payer, kind: 'altered' }),
    ]);
  });

  it('where a step that is not sealed yet was deleted: its event still tells', async () => {
    const id = await commitTransfer(payer);
    await forge(`DELETE FROM ledger_entries WHERE transfer_id = ${hex(id)} AND step = 40`);
    expect(await findings()).toEqual([
      expect.objectContaining({ kind: 'removed', account: payer, entrySeq: 6n, ...ENTRY }),
      expect.objectContaining({ kind: 'removed', subject: 'step', transferId: id, step: 40 }),
    ]);
  });

  it('where the account itself is gone', async () => {
    await forge(`DELETE FROM accounts WHERE id = '${payer}'`);
    const found = await findings();
    expect(found).toContainEqual(
      expect.objectContaining({ kind: 'removed', subject: 'account', account: payer }),
    );
  });
});

/** A forged leg, with whatever columns matter to the case. */
function leg(id: TransferId, fields: Record<string, string | number>): string {
  const row: Record<string, string | number> = {
    transfer_id: hex(id),
    step: 40,
    leg: 0,
    slot: slotOfAccount(payer),
    account_id: `'${payer}'`,
    entry_seq: 'NULL',
    amount: 1,
    currency: "'EUR'",
    balance_after: 'NULL',
    posted_at: 'NOW(6)',
    ...fields,
  };
  return `INSERT INTO ledger_entries (${Object.keys(row).join(', ')}) VALUES (${Object.values(row).join(', ')})`;
}

function transit(id: TransferId, fields: Record<string, string | number> = {}): string {
  const account = `'~transit:${slotOfAccount(payer)}:EUR'`;
  return leg(id, { leg: 1, account_id: account, amount: -1, ...fields });
}

describe('a ledger with rows put in names each of them', () => {
  const forged = aTransferId('nobody', 77);

  it('where an entry was put beside a sealed one, with its number', async () => {
    await forge(leg(forged, { entry_seq: 3, balance_after: 0 }), transit(forged));
    expect(await findings()).toEqual([
      expect.objectContaining({
        kind: 'inserted',
        ...ENTRY,
        account: payer,
        entrySeq: 3n,
        transferId: forged,
        step: 40,
      }),
    ]);
  });

  it('where an entry was put at the end, and the account does not count it', async () => {
    await forge(leg(forged, { entry_seq: 6, balance_after: 6001 }), transit(forged));
    expect(await findings()).toEqual([
      expect.objectContaining({ kind: 'inserted', ...ENTRY, entrySeq: 6n, transferId: forged }),
    ]);
  });

  it('where a whole step was put at the end with an event, and the account counts it', async () => {
    await forge(
      leg(forged, { entry_seq: 6, balance_after: 6001 }),
      transit(forged),
      `UPDATE accounts SET entry_seq = 6, balance = 6001, version = version + 1 WHERE id = '${payer}'`,
      'INSERT INTO transfer_events SELECT ' +
        `${hex(forged)}, step, slot, type, occurred_at, REPLACE(REPLACE(envelope, '"1000"', '"1"'), '"6000"', '"6001"') ` +
        `FROM transfer_events WHERE ${stepOf(5)}`,
    );
    const named = expect.objectContaining({
      account: payer,
      entrySeq: 6n,
      transferId: forged,
      step: 40,
      problem: 'not sealed yet: no transfer says the same',
    }) as unknown;
    expect(await findings()).toEqual([named]);
    const pass = await sealShard(source);
    expect(pass).toMatchObject({ seals: [], entries: 0n, refusedEntries: 1n });
    expect(pass.faults).toEqual([expect.objectContaining({ transferId: forged, entrySeq: 6n })]);
  });

  it('where a leg of a system account stands alone', async () => {
    await forge(transit(forged));
    expect(await findings()).toEqual([
      expect.objectContaining({
        kind: 'inserted',
        subject: 'leg',
        account: `~transit:${slotOfAccount(payer)}:EUR`,
        transferId: forged,
        step: 40,
      }),
    ]);
  });

  it('where a whole step was put in on system accounts alone, with numbers of its own', async () => {
    const external = `'~external:${slotOfAccount(payer)}:EUR'`;
    const numbered = { entry_seq: 1, balance_after: 0 };
    await forge(
      transit(forged, { leg: 0, ...numbered }),
      transit(forged, { leg: 1, account_id: external, amount: 1, ...numbered }),
    );
    const accounts = [
      `~transit:${slotOfAccount(payer)}:EUR`,
      `~external:${slotOfAccount(payer)}:EUR`,
    ];
    const found = await findings();
    expect(found).toHaveLength(accounts.length);
    for (const account of accounts) {
      const named = { kind: 'inserted', account, transferId: forged, step: 40 };
      expect(found).toContainEqual(expect.objectContaining(named));
    }
  });

  it('where a leg was put into a sealed step: that leg', async () => {
    await forge(transit(committed[1]!, { leg: 2 }));
    expect(await findings()).toEqual([
      expect.objectContaining(
        entry(3, {
          kind: 'inserted',
          subject: 'leg',
          problem: `leg 2 on ~transit:${slotOfAccount(payer)}:EUR was put into its step`,
        }),
      ),
    ]);
  });

  it('where the leg of a customer has no number', async () => {
    await forge(leg(forged, {}));
    expect(await findings()).toContainEqual(
      expect.objectContaining({ kind: 'inserted', account: payer, entrySeq: null, step: 40 }),
    );
  });

  it('where the leg is of an account that does not exist', async () => {
    await forge(leg(forged, { account_id: "'nobody'", entry_seq: 1, balance_after: 1 }));
    expect(await findings()).toEqual([
      expect.objectContaining({ kind: 'inserted', account: 'nobody', entrySeq: 1n }),
    ]);
  });
});

describe('altered seals are named', () => {
  it.each<[string, string, Expected[]]>([
    [
      'the root of a seal',
      "UPDATE ledger_seals SET root = REPEAT('x', 32) WHERE seal = 1",
      [
        { kind: 'altered', subject: 'seal', seal: 1n },
        { kind: 'altered', subject: 'part', seal: 1n },
      ],
    ],
    [
      'the time of a seal',
      'UPDATE ledger_seals SET sealed_at = sealed_at - INTERVAL 1 HOUR WHERE seal = 2',
      [{ kind: 'altered', subject: 'seal', seal: 2n }],
    ],
    [
      'the number of its entries',
      'UPDATE ledger_seals SET entries = 1 WHERE seal = 1',
      [{ kind: 'altered', subject: 'seal', seal: 1n }],
    ],
    [
      'a seal in the middle, taken away',
      'DELETE FROM ledger_seals WHERE seal = 1',
      [{ kind: 'removed', subject: 'seal', seal: 1n }],
    ],
    [
      'the last seal, taken away',
      'DELETE FROM ledger_seals WHERE seal = 2',
      [{ kind: 'removed', subject: 'seal', seal: 2n }],
    ],
  ])('%s', async (_, statement, expected) => {
    await forge(statement);
    expect(await findings()).toEqual(
      expected.map((one) => expect.objectContaining(one) as unknown),
    );
  });

  it('a seal made anew over an altered row, its hash with it: the next one does not go on from it', async () => {
    const [seal] = await listSeals(source, 0n, 1);
    const other = { ...seal!, entries: seal!.entries + 1n };
    await forge(
      `UPDATE ledger_seals SET entries = ${other.entries}, hash = x'${hashSeal(other)}' WHERE seal = 1`,
    );
    expect(await findings()).toEqual([
      expect.objectContaining({
        kind: 'altered',
        subject: 'seal',
        seal: 2n,
        problem: 'the seal does not go on from the one before',
      }),
    ]);
  });

  it('what a seal says of an account', async () => {
    const of = `seal = 1 AND account_id = '${payer}'`;
    await forge(`UPDATE ledger_seal_parts SET witness = REVERSE(witness) WHERE ${of}`);
    expect(await findings()).toEqual([
      expect.objectContaining({ kind: 'altered', subject: 'part', account: payer, seal: 1n }),
    ]);
  });

  it('what a seal said of an account, taken away', async () => {
    await forge(`DELETE FROM ledger_seal_parts WHERE seal = 1 AND account_id = '${payer}'`);
    const found = await findings();
    expect(found).toContainEqual(
      expect.objectContaining({ kind: 'removed', subject: 'part', seal: 1n }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({ subject: 'part', account: payer, seal: 2n, entrySeq: 4n }),
    );
  });

  it('the last seal with all its parts, while the positions still lead to it', async () => {
    await forge(
      'DELETE FROM ledger_seals WHERE seal = 2',
      'DELETE FROM ledger_seal_parts WHERE seal = 2',
    );
    expect(await findings()).toEqual([
      expect.objectContaining({ kind: 'removed', subject: 'seal', seal: 2n }),
      expect.objectContaining({ subject: 'position', account: payer, entrySeq: 5n }),
    ]);
  });

  it('the whole end of the chain, cut off without a trace: by a hash that was kept outside', async () => {
    const head = (await verifyShard(source)).head!;
    await forge(
      'DELETE FROM ledger_seals WHERE seal = 2',
      'DELETE FROM ledger_seal_parts WHERE seal = 2',
      'UPDATE ledger_seal_positions AS q JOIN ledger_seal_parts AS p ON p.account_id = q.account_id ' +
        'SET q.seal = 1, q.entry_seq = p.last_seq, q.balance = p.balance, q.part_hash = p.hash ' +
        'WHERE q.seal = 2',
    );
    expect((await verifyShard(source)).findings).toEqual([]);
    expect((await verifyShard(source, { anchors: [head] })).findings).toEqual([
      expect.objectContaining({ kind: 'removed', subject: 'seal', seal: 2n }),
    ]);
    await sealShard(source);
    expect((await verifyShard(source, { anchors: [head] })).findings).toEqual([
      expect.objectContaining({ problem: 'the seal has another hash than was kept', seal: 2n }),
    ]);
  });
});

describe('the sealer refuses', () => {
  it.each<[string, (id: TransferId) => string[], string]>([
    [
      'a gap',
      (id) => [`DELETE FROM ledger_entries WHERE transfer_id = ${hex(id)}`],
      'no entry has this number',
    ],
    [
      'a balance that does not run on',
      (id) => [
        `UPDATE ledger_entries SET balance_after = 1 WHERE transfer_id = ${hex(id)} AND entry_seq IS NOT NULL`,
      ],
      'balance_after is not the one before plus the amount',
    ],
    [
      'a step that does not sum to zero',
      (id) => [
        `UPDATE ledger_entries SET amount = 1 WHERE transfer_id = ${hex(id)} AND entry_seq IS NULL`,
      ],
      'the legs of its step do not sum to zero',
    ],
    [
      'an entry without an event',
      (id) => [`DELETE FROM transfer_events WHERE transfer_id = ${hex(id)} AND step = 40`],
      'its step has no event',
    ],
    [
      'an amount that its event does not tell',
      (id) => [
        `UPDATE ledger_entries SET amount = amount * 2 WHERE transfer_id = ${hex(id)}`,
        `UPDATE ledger_entries SET balance_after = balance_after - 1000 WHERE transfer_id = ${hex(id)} AND entry_seq IS NOT NULL`,
      ],
      'contradicts its event',
    ],
    [
      'an account with another balance than its entries',
      () => [`UPDATE accounts SET balance = balance + 1 WHERE id = '${payer}'`],
      'the account has another balance than its last entry',
    ],
    [
      'a number that two entries have',
      () => [leg(aTransferId('nobody', 78), { entry_seq: 6, balance_after: 5000 })],
      '2 entries have this number',
    ],
  ])('%s, and seals the other accounts', async (_, forgery, problem) => {
    const id = await commitTransfer(payer);
    await commitTransfer(other);
    await forge(...forgery(id));
    const pass = await sealShard(source);
    expect(pass).toMatchObject({ entries: 1n, refusedEntries: 1n, isBehind: false });
    const fault = expect.objectContaining({ account: payer, entrySeq: 6n, problem }) as unknown;
    expect(pass.faults).toContainEqual(fault);
    const parts = await listSealParts(source, 3n, 10);
    expect(parts.map(({ account }) => account)).toEqual([other]);
    expect((await verifyShard(source)).findings).toContainEqual(
      expect.objectContaining({ account: payer, problem: `not sealed yet: ${problem}` }),
    );
  });
});

describe('however many rows were put on one number', () => {
  const FORGED = 1_500;
  const forged = aTransferId('nobody', 79);

  /** Entries of one step with the payer's number, told apart by their leg. */
  function crowd(seq: number): string[] {
    const digits =
      '(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4)';
    const numbers = `SELECT a.d + 5 * b.d + 25 * c.d + 125 * e.d + 625 * f.d AS n FROM ${digits} AS a, ${digits} AS b, ${digits} AS c, ${digits} AS e, ${digits} AS f`;
    return [
      'INSERT INTO ledger_entries (transfer_id, step, leg, slot, account_id, entry_seq, amount, currency, balance_after, posted_at) ' +
        `SELECT ${hex(forged)}, 40, n, ${slotOfAccount(payer)}, '${payer}', ${seq}, 1, 'EUR', 0, NOW(6) ` +
        `FROM (${numbers}) AS numbers WHERE n < ${FORGED}`,
    ];
  }

  it('the sealer refuses the account with that number, and seals the others', async () => {
    await commitTransfer(payer);
    await commitTransfer(other);
    await forge(...crowd(6));
    const pass = await sealShard(source);
    expect(pass).toMatchObject({ entries: 1n, refusedEntries: 1n, isBehind: false });
    const problem = `${FORGED + 1} entries have this number`;
    expect(pass.faults).toEqual([
      expect.objectContaining({ account: payer, entrySeq: 6n, kind: 'inserted', problem }),
    ]);
    const parts = await listSealParts(source, 3n, 10);
    expect(parts.map(({ account }) => account)).toEqual([other]);
    expect(await findings()).toEqual([
      expect.objectContaining({
        account: payer,
        entrySeq: 6n,
        problem: `not sealed yet: ${problem}`,
      }),
    ]);
  });

  it('the verification names it, and compares the rest of its seal', async () => {
    await forge(
      ...crowd(3),
      `UPDATE ledger_entries SET amount = amount - 1 WHERE ${at(2)}`,
      `UPDATE ledger_entries SET amount = amount - 1 WHERE account_id = '${other}' AND entry_seq = 2`,
    );
    const found = await findings();
    expect(found).toHaveLength(3);
    for (const expected of [
      { account: payer, entrySeq: 2n, kind: 'altered' },
      {
        account: payer,
        entrySeq: 3n,
        kind: 'inserted',
        seal: 1n,
        problem: `${FORGED + 1} entries have this number`,
      },
      { account: other, entrySeq: 2n, kind: 'altered' },
    ]) {
      expect(found).toContainEqual(expect.objectContaining(expected));
    }
  });

  it('or into its step: the entry is named with the step', async () => {
    const id = await commitTransfer(payer);
    await forge(
      ...crowd(99),
      `UPDATE ledger_entries SET transfer_id = ${hex(id)}, leg = leg + 2, entry_seq = NULL, ` +
        `account_id = '~transit:1:EUR' WHERE transfer_id = ${hex(forged)}`,
    );
    const fault = { account: payer, entrySeq: 6n, transferId: id, step: 40, kind: 'inserted' };
    expect((await sealShard(source)).faults).toEqual([
      expect.objectContaining({
        ...fault,
        problem: 'its step has far more legs than it can have',
        detail: { lastLeg: String(FORGED + 1) },
      }),
    ]);
  });
});

describe('two sealers', () => {
  it('at the same moment seal everything once', async () => {
    for (let k = 0; k < 2; k += 1) await commitTransfer(payer);
    const passes = await Promise.all([sealShard(source), sealShard(source), sealShard(source)]);
    expect(passes.flatMap(({ seals }) => seals.map(({ seal }) => seal))).toEqual([3n]);
    expect(await verifyShard(source)).toMatchObject({ seals: 3, entries: 9n, findings: [] });
  });

  it('do not store a number that is taken, nor a seal of another epoch', async () => {
    const [first] = await listSeals(source, 0n, 1);
    const epoch = shards.pools.slotMaps.current().epoch;
    expect(await insertSeal(source, { epoch, seal: first!, parts: [] })).toBe(false);
    const stale = insertSeal(source, {
      epoch: epoch + 1n,
      seal: { ...first!, seal: 3n },
      parts: [],
    });
    await expect(stale).rejects.toMatchObject({ kind: 'epoch' });
    expect(await listSeals(source, 0n, 10)).toHaveLength(2);
  });
});

describe('sealing while writers run', () => {
  it('never seals a hole and misses nothing that was committed late', async () => {
    let isWriting = true;
    const accounts = [payer, other];
    const writers = accounts.map(async (account, writer) => {
      for (let n = 0; n < 40; n += 1) {
        await fundAccounts(source.store, [
          aDeposit(account, eur(1), 1_000 + writer * 1_000 + n),
          aDeposit(accounts[1 - writer]!, eur(1), 5_000 + writer * 1_000 + n),
        ]);
      }
    });
    const sealer = (async () => {
      while (isWriting) {
        expect(await sealShard(source, { sealEntriesMax: 7n })).toMatchObject({ faults: [] });
      }
    })();
    await Promise.all(writers);
    isWriting = false;
    await sealer;
    for (let isBehind = true; isBehind;) ({ isBehind } = await sealShard(source));
    const verified = await verifyShard(source);
    expect(verified).toMatchObject({ entries: 7n + 160n, unsealedEntries: 0n, findings: [] });
    const [sums] = await source.send([
      'SELECT SUM(entries), (SELECT SUM(entry_seq) FROM accounts) FROM ledger_seals',
    ]);
    expect(sums?.rows[0]?.map(String)).toEqual(['167', '167']);
  });
});
