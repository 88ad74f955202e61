import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import type { TransferId } from '@surety/domain';
import { findTransfer, readTimeline } from '@surety/db';
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
import { runCli } from './program.js';

const BIN = fileURLToPath(new URL('../../bin/surety.mjs', import.meta.url));
/** What a change needs where nobody can be asked. */
const BECAUSE = ['--reason', 'a spec wants it', '--yes', '--operator', 'spec'];
const EXPIRED_MS = 1;
const FAR_AWAY_MS = 3_600_000;

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let shards: TestShards;
let directory: string;
let committed: TransferId;
let orphaned: TransferId;
let payer: string;

/** Runs the command in this process: the same code without the time that a start takes. */
async function inProcess(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = here(),
): Promise<Ran> {
  const lines = { out: '', err: '' };
  const code = await runCli(args, {
    environment,
    directory,
    print: (text) => (lines.out += `${text}\n`),
    printError: (text) => (lines.err += `${text}\n`),
  });
  return { code, ...lines };
}

/** Runs the built command in a directory outside the repository. */
function surety(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: directory,
    env: { PATH, ...environment },
  });
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, out, err });
    });
  });
}

function here(): NodeJS.ProcessEnv {
  return { SURETY_SHARDS: shards.urls.join(',') };
}

function accountOn(shard: number, prefix: string): string {
  return anAccountIdOn(shards.pools.slotMaps.current(), shard, prefix);
}

async function eventOn(shard: Shard, id: TransferId, step: number): Promise<Envelope> {
  const rows = await readTimeline(shard, id);
  return readEnvelope(rows.find((row) => row.step === step)!.envelope);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'surety-cli-'));
  shards = await createTestShards({ count: 2 });
  const [source, destination] = shards.pools.shards as [Shard, Shard];
  payer = accountOn(0, 'payer');
  const payee = accountOn(1, 'payee');
  await openAccounts(source.store, [anOpening(payer)]);
  await openAccounts(destination.store, [anOpening(payee)]);
  await fundAccounts(source.store, [aDeposit(payer, eur(100_00), 1)]);
  const requests = [1, 2].map((n) =>
    aTransferRequest({ n, source: payer, destination: payee, amount: eur(12_34) }),
  );
  await requestTransfers(source.store, requests);
  [committed, orphaned] = requests.map((request) => request.transferId) as [string, string];
  const options = { holdTimeoutMs: EXPIRED_MS, actor: 'saga' };
  for (const id of [committed, orphaned]) {
    await applySteps(source.store, [await eventOn(source, id, 10)], options);
  }
  await applySteps(destination.store, [await eventOn(source, committed, 20)], options);
  await applySteps(source.store, [await eventOn(destination, committed, 30)], options);
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  await shards?.drop();
});

describe('surety', () => {
  it('explains itself with examples', async () => {
    const { code, out } = await surety(['--help']);
    expect(code).toBe(0);
    for (const command of ['check', 'transfer', 'holds', 'reconcile']) {
      expect(out).toContain(command);
    }
    const check = await inProcess(['check', '--help']);
    expect(check.out).toContain('Examples:');
  });

  it.each([
    [['frobnicate'], 'unknown command'],
    [['check', '--frobnicate'], 'unknown option'],
    [['check', '--only', 'frobnication'], 'Allowed choices'],
    [['transfer', 'show'], "missing required argument 'id'"],
    [['transfer', 'show', 'not-an-id'], 'is not a transfer id'],
    [['holds', 'list', '--limit', '0'], 'a whole number from 1'],
    [['reconcile', 'run'], 'add --yes'],
    [['reconcile', 'run', '--yes'], 'add --reason'],
    [['reconcile', 'run', '--yes', '--reason', ' '], 'left empty'],
    [['reconcile', 'run', '--yes', '--reason', 'x', '--operator', 'a b'], "the operator's name"],
  ])('refuses %j with one clear line', async (args, line) => {
    const { code, out, err } = await inProcess(args);
    expect(code).toBe(2);
    expect(err).toContain(line);
    expect(out).toBe('');
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('says that it knows no system', async () => {
    const { code, err } = await inProcess(['check'], {});
    expect(code).toBe(2);
    expect(err).toContain('npm start');
  });

  it('lists every mistake of the environment', async () => {
    const { code, err } = await inProcess(['check'], {
      SURETY_SHARDS: 'mysql://user:secret@host',
      SURETY_TYPO: '1',
    });
    expect(code).toBe(2);
    expect(err).toContain('SURETY_SHARDS');
    expect(err).toContain('SURETY_TYPO');
    expect(err).not.toContain('secret');
  });

  it('could not run where no shard answers', async () => {
    const { code, err } = await surety(['check'], {
      SURETY_SHARDS: 'mysql://user:secret@127.0.0.1:1/nowhere',
    });
    expect(code).toBe(2);
    expect(err).toMatch(/^surety: no shard answers.*\n$/);
    expect(err).not.toContain('secret');
  });

  it('finds the running system of the repository it is called in', async () => {
    const inside = mkdtempSync(join(directory, 'repository-'));
    mkdirSync(join(inside, '.surety'));
    const system = { shardUrls: shards.urls, kafkaBrokers: ['k:1'], redisUrl: 'redis://r:1' };
    writeFileSync(join(inside, '.surety', 'system.json'), JSON.stringify(system));
    const outside = directory;
    directory = inside;
    try {
      expect(await inProcess(['check', '--only', 'conservation'], {})).toMatchObject({ code: 0 });
    } finally {
      directory = outside;
    }
  });
});

describe('surety transfer show', () => {
  it('tells the life of a transfer across both shards', async () => {
    const { code, out } = await surety(['transfer', 'show', committed.toUpperCase()], here());
    expect(code).toBe(0);
    const events = out.split('\n').filter((line) => /^\d{4}-\d\d-\d\dT/.test(line));
    expect(
      events.map((line) => line.split(/\s{2,}/).filter((cell) => /^[a-z]+$/.test(cell))[0]),
    ).toEqual(['requested', 'held', 'credited', 'committed']);
    expect(out).toContain('12.34 EUR');
    expect(out).toContain('decision     credited');
  });

  it('gives machines one document with exact sums', async () => {
    const { out } = await inProcess(['transfer', 'show', committed, '--json']);
    const story = JSON.parse(out) as { transfer: { amountMinor: string }; legs: unknown[] };
    expect(story.transfer.amountMinor).toBe('1234');
    expect(story.legs).toHaveLength(4);
  });

  it('says that there is no such transfer', async () => {
    const id = aTransferId(payer, 4711);
    const { code, err } = await surety(['transfer', 'show', id], here());
    expect(code).toBe(1);
    expect(err).toBe(`surety: there is no transfer ${id}\n`);
  });
});

describe('an operator who finds an orphaned hold', () => {
  it('lists it, sees what would be done, does it, and finds the promises kept', async () => {
    const listed = await inProcess(['holds', 'list', '--orphaned', '--json']);
    expect(JSON.parse(listed.out)).toMatchObject([{ transferId: orphaned, amountMinor: '1234' }]);

    const dry = await inProcess(['reconcile', 'run', '--dry-run']);
    expect(dry).toMatchObject({ code: 0 });
    expect(dry.out).toContain('2 repairs would be made, 0 troubles');
    const [source] = shards.pools.shards as [Shard, Shard];
    expect(await findTransfer(source, orphaned)).toMatchObject({ state: 'held' });

    const wet = await surety(['reconcile', 'run', '--json', ...BECAUSE], here());
    expect(wet).toMatchObject({ code: 0 });
    expect(JSON.parse(wet.out)).toMatchObject({
      repairs: [
        { kind: 'void', transferId: orphaned },
        { kind: 'release', transferId: orphaned },
      ],
      troubles: [],
    });
    expect(await findTransfer(source, orphaned)).toMatchObject({ state: 'cancelled' });

    expect((await inProcess(['holds', 'list'])).out).toBe('no open holds\n');
    const again = await inProcess(['reconcile', 'run', ...BECAUSE]);
    expect(again.out).toContain('0 repairs made');
  });
});

describe('surety check', () => {
  it('is clean, then names the row that was broken, then is clean again', async () => {
    const environment = { ...here(), HOLD_TIMEOUT: `${FAR_AWAY_MS}ms` };
    const clean = await surety(['check'], environment);
    expect(clean).toMatchObject({ code: 0, err: '' });
    expect(clean.out).toContain('all promises kept');

    const [source] = shards.pools.shards as [Shard, Shard];
    await source.send([`UPDATE accounts SET balance = balance + 1 WHERE id = '${payer}'`]);
    const broken = await surety(['check'], environment);
    expect(broken.code).toBe(1);
    expect(broken.out).toContain(`account ${payer}`);
    const json = await inProcess(['check', '--json', '--only', 'balances'], environment);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, checks: [{ check: 'balances' }] });

    await source.send([`UPDATE accounts SET balance = balance - 1 WHERE id = '${payer}'`]);
    expect(await inProcess(['check'], environment)).toMatchObject({ code: 0 });
  });
});
