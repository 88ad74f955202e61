import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { findHold, findTransfer, listAuditEntries, outboxDepth, readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import type { TransferId } from '@surety/domain';
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
import { BECAUSE, runInProcess } from './spec-support.js';
import type { Ran } from './spec-support.js';

const STEPS = { holdTimeoutMs: 3_600_000, actor: 'saga' };

let shards: TestShards;
let source: Shard;
let destination: Shard;
let payer: string;
let payee: string;
let count = 0;

function surety(...args: readonly string[]): Promise<Ran> {
  return runInProcess(args, { environment: { SURETY_SHARDS: shards.urls.join(',') } });
}

async function eventOn(shard: Shard, id: TransferId, step: number): Promise<Envelope> {
  const rows = await readTimeline(shard, id);
  return readEnvelope(rows.find((row) => row.step === step)!.envelope);
}

type Until = 'requested' | 'held' | 'credited' | 'refused' | 'committed';

/** A transfer whose last step was this one; nobody drives it on. */
async function aTransfer(until: Until): Promise<TransferId> {
  count += 1;
  const payeeOf = until === 'refused' ? anAccountIdOn(map(), 1, `nobody-${count}`) : payee;
  const request = aTransferRequest({
    ...{ n: count, source: payer, destination: payeeOf, amount: eur(1_00) },
  });
  const id = request.transferId;
  await requestTransfers(source.store, [request]);
  if (until === 'requested') return id;
  await applySteps(source.store, [await eventOn(source, id, 10)], STEPS);
  if (until === 'held') return id;
  await applySteps(destination.store, [await eventOn(source, id, 20)], STEPS);
  if (until !== 'committed') return id;
  await applySteps(source.store, [await eventOn(destination, id, 30)], STEPS);
  return id;
}

function map() {
  return shards.pools.slotMaps.current();
}

async function stateOf(id: TransferId): Promise<unknown> {
  return (await findTransfer(source, id))?.state;
}

/** Action, reason and end of each line of audit_log, oldest first, on both shards. */
async function auditOf(id: TransferId): Promise<readonly unknown[]> {
  const perShard = await Promise.all(
    [destination, source].map((shard) => listAuditEntries(shard, { transferId: id }, 10)),
  );
  return perShard.flat().map(({ actor, action, reason }) => [actor, action, reason]);
}

function line(action: string): readonly string[] {
  return ['operator:spec', `operator.${action}`, 'a spec wants it'];
}

beforeAll(async () => {
  shards = await createTestShards({ count: 2 });
  [source, destination] = shards.pools.shards as [Shard, Shard];
  payer = anAccountIdOn(map(), 0, 'payer');
  payee = anAccountIdOn(map(), 1, 'payee');
  await openAccounts(source.store, [anOpening(payer)]);
  await openAccounts(destination.store, [anOpening(payee)]);
  await fundAccounts(source.store, [aDeposit(payer, eur(1_000_00), 1)]);
});

afterAll(async () => {
  const checked = await surety('check', '--full');
  await shards?.drop();
  // Whatever the commands did, every promise is kept.
  expect(checked.out).toContain('all promises kept');
});

describe.each([
  ['transfer', 'cancel'],
  ['holds', 'release'],
])('surety %s %s', (group, verb) => {
  it('fences a held transfer at its destination, then releases it, both audited', async () => {
    const id = await aTransfer('held');
    const { code, out } = await surety(group, verb, id, ...BECAUSE);
    expect(code).toBe(0);
    expect(out).toBe(`transfer ${id} is cancelled (cancelled_by_client) (it was held)\n`);
    expect([await stateOf(id), await findHold(source, id)]).toEqual(['cancelled', undefined]);
    expect((await eventOn(destination, id, 30)).actor).toBe('operator:spec');
    expect(await auditOf(id)).toEqual([line('void'), line('release')]);
  });

  it('follows a credit that was faster, and says the state that won', async () => {
    const id = await aTransfer('credited');
    const { code, out } = await surety(group, verb, id, ...BECAUSE, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      ...{ dryRun: false, transferId: id, before: 'held', decision: 'credited' },
      ...{ after: 'committed', reason: null, cancelled: false },
    });
    expect(await auditOf(id)).toEqual([line('commit')]);
  });

  it('follows a refusal that was faster', async () => {
    const id = await aTransfer('refused');
    const { code, out } = await surety(group, verb, id, ...BECAUSE);
    expect(code).toBe(1);
    expect(out).toContain('its destination has decided, it is rejected (destination_not_found)');
    expect(await stateOf(id)).toBe('rejected');
  });

  it('says in a dry run what would become of it, and writes nothing', async () => {
    const [held, credited] = [await aTransfer('held'), await aTransfer('credited')];
    const before = await Promise.all([source, destination].map(outboxDepth));
    const free = await surety(group, verb, held, '--dry-run');
    expect(free).toMatchObject({
      code: 0,
      out: `transfer ${held} would be cancelled (it was held)\n`,
    });
    const bound = await surety(group, verb, credited, '--dry-run');
    expect(bound.code).toBe(1);
    expect(bound.out).toContain('it would be committed');
    const rows = (depths: readonly { readonly rows: number }[]) => depths.map((one) => one.rows);
    expect(rows(await Promise.all([source, destination].map(outboxDepth)))).toEqual(rows(before));
    expect([await stateOf(held), await stateOf(credited)]).toEqual(['held', 'held']);
    expect([await auditOf(held), await auditOf(credited)]).toEqual([[], []]);
  });

  it('changes nothing without a reason, or where nobody can be asked', async () => {
    const id = await aTransfer('held');
    expect(await surety(group, verb, id, '--yes')).toMatchObject({ code: 2 });
    expect(await surety(group, verb, id, '--reason', 'x')).toMatchObject({ code: 2 });
    expect(await stateOf(id)).toBe('held');
  });

  it('knows no transfer of that id, and refuses what can be none', async () => {
    const id = aTransferId(payer, 4711);
    const missing = await surety(group, verb, id, ...BECAUSE);
    expect(missing).toMatchObject({ code: 1, err: `surety: there is no transfer ${id}\n` });
    const wrong = await surety(group, verb, 'x', ...BECAUSE);
    expect(wrong).toMatchObject({ code: 2, err: 'surety: "x" is not a transfer id\n' });
  });
});

describe('surety transfer cancel', () => {
  it('ends a transfer that holds nothing yet', async () => {
    const id = await aTransfer('requested');
    expect(await surety('transfer', 'cancel', id, ...BECAUSE)).toMatchObject({ code: 0 });
    expect(await stateOf(id)).toBe('cancelled');
  });

  it('is the same again when it is repeated, and leaves one pair of lines', async () => {
    const id = await aTransfer('held');
    await surety('transfer', 'cancel', id, ...BECAUSE);
    const again = await surety('transfer', 'cancel', id, ...BECAUSE);
    expect(again.code).toBe(0);
    expect(again.out).toContain('is cancelled already (cancelled_by_client): nothing to change');
    expect(await auditOf(id)).toHaveLength(2);
  });

  it('leaves a transfer alone that is committed', async () => {
    const id = await aTransfer('committed');
    const { code, out } = await surety('transfer', 'cancel', id, ...BECAUSE);
    expect([code, out]).toEqual([1, `transfer ${id} is committed already: nothing to change\n`]);
  });

  it('keeps the hold while the shard of the destination is away', async () => {
    const id = await aTransfer('held');
    const urls = [shards.urls[0], 'mysql://nobody:x@127.0.0.1:1/nowhere'].join(',');
    const { code } = await runInProcess(['transfer', 'cancel', id, ...BECAUSE], {
      environment: { SURETY_SHARDS: urls },
    });
    expect([code, await stateOf(id)]).toEqual([2, 'held']);
  });
});

describe('surety holds release', () => {
  it('says that a transfer holds nothing, and what it is', async () => {
    const id = await aTransfer('committed');
    expect(await surety('holds', 'release', id, ...BECAUSE)).toMatchObject({
      ...{ code: 1, err: `surety: transfer ${id} holds nothing: it is committed\n` },
    });
  });
});

describe('surety transfer retry', () => {
  it.each<[Until, string, string]>([
    ['credited', 'committed', 'commit'],
    ['refused', 'rejected', 'release'],
  ])('follows what is %s: the transfer is %s', async (until, end, verb) => {
    const id = await aTransfer(until);
    const dry = await surety('transfer', 'retry', id, '--dry-run');
    expect(dry).toMatchObject({
      ...{ code: 0, out: `transfer ${id} is held: would ${verb} it, which makes it ${end}\n` },
    });
    expect([await stateOf(id), await auditOf(id)]).toEqual(['held', []]);
    const { code, out } = await surety('transfer', 'retry', id, ...BECAUSE);
    expect([code, out]).toEqual([0, `transfer ${id} is ${end} (it was held)\n`]);
    expect([await stateOf(id), await auditOf(id)]).toEqual([end, [line(verb)]]);
  });

  it.each<[Until, number]>([
    ['requested', 10],
    ['held', 20],
  ])('sends the stored event again where it is %s', async (until, step) => {
    const id = await aTransfer(until);
    const { rows } = await outboxDepth(source);
    const { code, out } = await surety('transfer', 'retry', id, ...BECAUSE, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ action: 'send_again', event: `${id}/${step}` });
    expect((await outboxDepth(source)).rows).toBe(rows + 1);
    expect([await stateOf(id), await auditOf(id)]).toEqual([until, [line('send_again')]]);
  });

  it('has nothing to do for a transfer that has ended', async () => {
    const id = await aTransfer('committed');
    const { code, out } = await surety('transfer', 'retry', id, ...BECAUSE);
    expect([code, out]).toEqual([0, `transfer ${id} is committed already: nothing to do\n`]);
  });
});

describe('surety audit list', () => {
  interface Page {
    readonly entries: readonly { readonly id: string; readonly transferId: string }[];
    readonly next: string | null;
  }

  it('goes through all lines page by page, newest first, each once', async () => {
    const whole = JSON.parse((await surety('audit', 'list', '--json')).out) as Page;
    expect(whole.next).toBeNull();
    expect(whole.entries.length).toBeGreaterThan(6);
    const paged: unknown[] = [];
    let next: string | null = null;
    for (let page = 0; page < 50; page += 1) {
      const from: readonly string[] = next === null ? [] : ['--before', next];
      const { out } = await surety('audit', 'list', '--json', '--limit', '3', ...from);
      const answer = JSON.parse(out) as Page;
      paged.push(...answer.entries);
      ({ next } = answer);
      if (next === null) break;
    }
    expect(paged).toEqual(whole.entries);
  });

  it('shows the lines of one transfer, of one operator, of the last while', async () => {
    const id = await aTransfer('held');
    await surety('transfer', 'cancel', id, '--reason', 'r', '--yes', '--operator', 'ann');
    const of = async (...args: string[]): Promise<readonly string[]> => {
      const { out } = await surety('audit', 'list', '--json', ...args);
      return (JSON.parse(out) as Page).entries.map((entry) => entry.transferId);
    };
    expect(await of('--transfer', id)).toEqual([id, id]);
    expect(await of('--operator', 'ann')).toEqual([id, id]);
    expect(await of('--operator', 'ann', '--since', '1h')).toEqual([id, id]);
    expect(await of('--since', '2999-01-01T00:00:00Z')).toEqual([]);
    expect(await of('--account', payer)).toEqual([]);
  });

  it('says how to go on', async () => {
    const { out } = await surety('audit', 'list', '--limit', '1');
    expect(out).toMatch(/older lines: surety audit list --before \S+Z\/\d\/\d+\n$/);
    expect((await surety('audit', 'list', '--account', 'none')).out).toBe('no lines\n');
  });

  it.each([
    [['--since', 'yesterday'], 'a time in UTC'],
    [['--since', '2026-13-01T00:00:00Z'], 'a time in UTC'],
    [['--since', '2026-02-30T00:00:00Z'], 'a time in UTC'],
    [['--since', '2026-01-31T24:00:00Z'], 'a time in UTC'],
    [['--before', '2026-02-30T00:00:00Z/0/1'], 'TIME/SHARD/ID'],
    [['--before', 'x'], 'TIME/SHARD/ID'],
    [['--transfer', 'x'], 'is not a transfer id'],
    [['--account', 'a b'], 'is not an account id'],
    [['--limit', '0'], 'a whole number from 1'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await surety('audit', 'list', ...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
