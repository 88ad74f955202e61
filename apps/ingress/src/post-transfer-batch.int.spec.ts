import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { transferBatchAnswer } from '@surety/contracts';
import type { TransferBatchAnswer } from '@surety/contracts';
import { evenSlotMap, shardOfSlot, slotOfAccount } from '@surety/domain';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { startOn } from './spec-support.js';
import type { RunningIngress } from './start.js';

const map = evenSlotMap(2);
let shards: TestShards;
let ingress: RunningIngress;

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  ingress = await startOn(shards.urls);
});

afterAll(async () => {
  await ingress.stop();
  await shards.drop();
});

function accountOn(shard: number): string {
  for (;;) {
    const id = `acc-${randomUUID()}`;
    if (shardOfSlot(map, slotOfAccount(id)) === shard) return id;
  }
}

interface Member {
  readonly idempotencyKey?: string;
  readonly [name: string]: unknown;
}

function aMember(change: Partial<Member> = {}): Member {
  return {
    idempotencyKey: randomUUID(),
    sourceAccount: accountOn(0),
    destinationAccount: accountOn(1),
    amount: '12.34',
    currency: 'EUR',
    ...change,
  };
}

/** A body that is text is sent as it is. */
async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`http://127.0.0.1:${ingress.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function postBatch(transfers: readonly unknown[]): Promise<TransferBatchAnswer['results']> {
  const reply = await post('/api/v1/transfers/batch', { transfers });
  expect(reply.status).toBe(200);
  return transferBatchAnswer.parse(reply.body).results;
}

const idOf = (result: TransferBatchAnswer['results'][number] | undefined): string | undefined =>
  result && 'transfer' in result ? result.transfer.transactionId : undefined;
const codeOf = (result: TransferBatchAnswer['results'][number] | undefined): string | undefined =>
  result && 'problem' in result ? result.problem.code : undefined;

async function statementsSent(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${ingress.port}/metrics`);
  const line = /^surety_sql_statements_total(?:\{[^}]*\})? (\d+)$/m.exec(await response.text());
  return Number(line?.[1]);
}

test('every member is stored before the answer leaves, on the shard of its source, in order', async () => {
  const members = Array.from({ length: 40 }, (_, at) =>
    aMember({ sourceAccount: accountOn(at % 2), amount: `${at + 1}.00` }),
  );
  const results = await postBatch(members);
  expect(results).toHaveLength(40);
  for (const [at, result] of results.entries()) {
    expect(result).toMatchObject({ status: 202, replayed: false });
    const read = await fetch(`http://127.0.0.1:${ingress.port}/api/v1/transfers/${idOf(result)}`);
    expect(await read.json()).toMatchObject({
      // The hold is tried in the same transaction, and there is no such account.
      status: 'rejected',
      sourceAccount: members[at]?.['sourceAccount'],
      amount: `${at + 1}.00`,
    });
  }
});

/** Of a transfer, as it is told without any worker. */
async function statusOf(result: TransferBatchAnswer['results'][number] | undefined) {
  const path = `/api/v1/transfers/${idOf(result)}/status`;
  const read = await fetch(`http://127.0.0.1:${ingress.port}${path}`);
  return ((await read.json()) as { status: string }).status;
}

async function openAccount(shard: number): Promise<string> {
  const accountId = accountOn(shard);
  const opened = await post('/api/v1/accounts', { accountId, currency: 'EUR' });
  expect(opened.status).toBe(201);
  return accountId;
}

async function openRichAccount(): Promise<string> {
  const id = await openAccount(0);
  const deposit = { direction: 'deposit', amount: '100.00' };
  const key = { 'idempotency-key': randomUUID() };
  expect((await post(`/api/v1/accounts/${id}/funding`, deposit, key)).status).toBe(201);
  return id;
}

test('a member is held with its request, and committed where its destination is at hand', async () => {
  const sourceAccount = await openRichAccount();
  const members = await Promise.all(
    [0, 1].map(async (shard) =>
      aMember({ sourceAccount, destinationAccount: await openAccount(shard) }),
    ),
  );
  const results = await postBatch(members);
  expect(await Promise.all(results.map(statusOf))).toEqual(['committed', 'held']);
  const balance = await fetch(
    `http://127.0.0.1:${ingress.port}/api/v1/accounts/${sourceAccount}/balance`,
  );
  expect(await balance.json()).toMatchObject({ balance: '87.66', held: '12.34' });
});

test('an account that somebody keeps locked costs a batch its steps, not its acceptance', async () => {
  const sourceAccount = await openRichAccount();
  const destinationAccount = await openAccount(0);
  const shard = shards.pools.shards[0]!;
  const results = await shard.pool.use(async (link) => {
    await link.send([
      'START TRANSACTION',
      `SELECT id FROM accounts WHERE id = '${destinationAccount}' FOR UPDATE`,
    ]);
    const taken = await postBatch([aMember({ sourceAccount, destinationAccount })]);
    await link.send(['ROLLBACK']);
    return taken;
  });
  expect(results).toMatchObject([{ status: 202, replayed: false }]);
  expect(await statusOf(results[0])).toBe('requested');
});

test('a member that is refused leaves the others alone and says why in its own place', async () => {
  const good = aMember();
  const results = await postBatch([
    aMember({ amount: '-1' }),
    good,
    aMember({ idempotencyKey: undefined as unknown as string }),
    aMember({ idempotencyKey: 'with space' }),
    'no object',
    aMember({ currency: 'XXY' }),
    aMember({ destinationAccount: good['sourceAccount'], sourceAccount: good['sourceAccount'] }),
  ]);
  expect(results.map(({ status }) => status)).toEqual([400, 202, 400, 400, 400, 400, 400]);
  expect(results.map(codeOf)).toEqual([
    'invalid-request',
    undefined,
    'idempotency-key-missing',
    'idempotency-key-invalid',
    'invalid-request',
    'invalid-request',
    'invalid-request',
  ]);
});

test('a member with one name twice has the whole batch refused: its text has no one meaning', async () => {
  const members = [aMember(), aMember({ description: 'second' })];
  const text = JSON.stringify({ transfers: members });
  const twice = text.replace('"description":', '"amount":"99.00","description":');
  const reply = await post('/api/v1/transfers/batch', twice);
  expect(reply).toMatchObject({
    status: 400,
    body: {
      code: 'invalid-request',
      errors: [{ pointer: '/transfers/1/amount', code: 'duplicate_member' }],
    },
  });
  const results = await postBatch(members);
  expect(results).toMatchObject([{ replayed: false }, { replayed: false }]);
});

test('the same batch again makes nothing new, and a key means the same alone and in a batch', async () => {
  const members = [aMember(), aMember()];
  const first = await postBatch(members);
  const again = await postBatch(members);
  expect(again.map(idOf)).toEqual(first.map(idOf));
  expect(again.map((result) => 'replayed' in result && result.replayed)).toEqual([true, true]);
  const { idempotencyKey, ...body } = members[0] as Member;
  const alone = await post('/api/v1/transfers', body, {
    'idempotency-key': String(idempotencyKey),
  });
  expect(alone.status).toBe(202);
  expect(alone.headers.get('idempotency-replayed')).toBe('true');
  expect(alone.body).toMatchObject({ transactionId: idOf(first[0]) });
});

test('one key twice in a batch is one transfer, or a conflict where the requests differ', async () => {
  const member = aMember();
  const other = { ...member, amount: '99.00' };
  const results = await postBatch([member, member, other]);
  expect(results.map(({ status }) => status)).toEqual([202, 202, 422]);
  expect(idOf(results[1])).toBe(idOf(results[0]));
  expect(codeOf(results[2])).toBe('idempotency-key-reused');
});

test('a thousand accounts whose currencies have to be looked up are no thousand questions', async () => {
  const members = Array.from({ length: 1_000 }, () => aMember({ currency: undefined }));
  for (const replayed of [false, true]) {
    const before = await statementsSent();
    const results = await postBatch(members);
    expect(new Set(results.map(codeOf))).toEqual(new Set([undefined]));
    expect(results.every((result) => 'replayed' in result && result.replayed === replayed)).toBe(
      true,
    );
    expect((await statementsSent()) - before).toBeLessThan(50);
  }
});

test('a thousand members are taken, one more is not, and none is no batch', async () => {
  const source = accountOn(0);
  const destination = accountOn(1);
  const members = Array.from({ length: 1_001 }, () =>
    aMember({ sourceAccount: source, destinationAccount: destination }),
  );
  const results = await postBatch(members.slice(0, 1_000));
  expect(new Set(results.map(idOf)).size).toBe(1_000);
  const tooMany = await post('/api/v1/transfers/batch', { transfers: members });
  expect(tooMany).toMatchObject({ status: 400, body: { errors: [{ code: 'too_many' }] } });
  const none = await post('/api/v1/transfers/batch', { transfers: [] });
  expect(none).toMatchObject({ status: 400, body: { errors: [{ code: 'too_few' }] } });
  const atomic = await post('/api/v1/transfers/batch', { transfers: [aMember()], atomic: true });
  expect(atomic).toMatchObject({ status: 400, body: { errors: [{ code: 'unknown_field' }] } });
});
