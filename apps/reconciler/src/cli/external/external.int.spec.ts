import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { readTimeline } from '@surety/db';
import type { Shard } from '@surety/db';
import type { TransferId } from '@surety/domain';
import { applySteps, fundAccounts, openAccounts, requestTransfers } from '@surety/saga';
import { aDeposit, aTransferRequest, anAccountIdOn, anOpening, eur } from '@surety/testing';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { runInProcess } from '../spec-support.js';

const OPTIONS = { holdTimeoutMs: 3_600_000, actor: 'saga' };
const TRANSFERS = 6;
const DAY_MS = 86_400_000;
const dayFromNow = (days: number): string =>
  new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

let shards: TestShards;
let directory: string;
let payer: string;
let payee: string;
let temporary: string;
let usualTemporary: string | undefined;
/** Committed, of 1.01, 1.02, … EUR from payer to payee; the last one is only requested. */
let ids: TransferId[];

async function eventOn(shard: Shard, id: TransferId, step: number): Promise<Envelope> {
  const rows = await readTimeline(shard, id);
  return readEnvelope(rows.find((row) => row.step === step)!.envelope);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'surety-external-'));
  temporary = mkdtempSync(join(directory, 'temporary-'));
  usualTemporary = process.env['TMPDIR'];
  // Others match files at the same time.
  process.env['TMPDIR'] = temporary;
  shards = await createTestShards({ count: 2 });
  const [source, destination] = shards.pools.shards as [Shard, Shard];
  const map = shards.pools.slotMaps.current();
  [payer, payee] = [anAccountIdOn(map, 0, 'payer'), anAccountIdOn(map, 1, 'payee')];
  await openAccounts(source.store, [anOpening(payer)]);
  await openAccounts(destination.store, [anOpening(payee)]);
  await fundAccounts(source.store, [aDeposit(payer, eur(100_00), 1)]);
  const requests = Array.from({ length: TRANSFERS + 1 }, (_, index) => ({
    ...aTransferRequest({
      n: index + 1,
      source: payer,
      destination: payee,
      amount: eur(101 + index),
    }),
    description: `invoice ${index + 1}`,
    metadata: { order: `o-${index + 1}`, number: index + 1 },
  }));
  await requestTransfers(source.store, requests);
  ids = requests.map(({ transferId }) => transferId);
  for (const id of ids.slice(0, TRANSFERS)) {
    await applySteps(source.store, [await eventOn(source, id, 10)], OPTIONS);
    await applySteps(destination.store, [await eventOn(source, id, 20)], OPTIONS);
    await applySteps(source.store, [await eventOn(destination, id, 30)], OPTIONS);
  }
});

afterAll(async () => {
  if (usualTemporary === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = usualTemporary;
  rmSync(directory, { recursive: true });
  await shards?.drop();
});

type Fields = Readonly<Record<string, unknown>>;

function rulesOf(changes: { file?: Fields; transfers?: Fields; match?: Fields } = {}): Fields {
  const columns = { key: 'Reference', amount: 'Amount', date: 'Date' };
  const window = { from: dayFromNow(-3), to: dayFromNow(3) };
  return {
    file: { columns, currency: 'EUR', ...changes.file },
    transfers: { account: payee, direction: 'in', ...window, ...changes.transfers },
    match: { by: 'transferId', dateToleranceDays: 1, ...changes.match },
  };
}

let runs = 0;
async function match(lines: readonly string[], rules: unknown, ...args: string[]) {
  runs += 1;
  const [file, rulesFile] = [`bank-${runs}.csv`, `rules-${runs}.json`];
  writeFileSync(join(directory, file), `${lines.join('\n')}\n`);
  writeFileSync(join(directory, rulesFile), JSON.stringify(rules));
  const environment = { SURETY_SHARDS: shards.urls.join(',') };
  const command = ['external', 'match', file, '--rules', rulesFile, ...args];
  return runInProcess(command, { environment, directory });
}

const HEADER = 'Date,Reference,Amount';
const today = dayFromNow(0);
const lineOf = (index: number): string => `${today},${ids[index]?.toUpperCase()},1.0${index + 1}`;
const allLines = (): string[] => [HEADER, ...ids.slice(0, TRANSFERS).map((_, n) => lineOf(n))];

interface Found {
  readonly matched: number;
  readonly linesLeftOut: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly differences: readonly Fields[];
}

async function found(lines: readonly string[], rules: unknown): Promise<Found & { code: number }> {
  const { code, out, err } = await match(lines, rules, '--format', 'json');
  expect(err).toBe('');
  return { ...(JSON.parse(out) as Found), code };
}

describe('surety external match', () => {
  it('exits 0 where everything matches, and 0 lines are left out', async () => {
    const { code, out } = await match(allLines(), rulesOf());
    expect(out).toContain('6 lines, 0 of them left out; 6 movements here; 6 matched');
    expect(out).toContain('no differences');
    expect(code).toBe(0);
  });

  it('names each difference in the order of the lines', async () => {
    const [header, first, second, third] = allLines() as [string, string, string, string];
    const lines = [
      ...[header, first, second, first],
      ...[third.replace('1.03', '1.04'), `${today},nobody,7.00`, lineOf(3), lineOf(6)],
    ];
    const { code, matched, differences } = await found(lines, rulesOf());
    expect([code, matched]).toEqual([1, 3]);
    const none = { ourAmount: null, transferId: null };
    expect(differences).toMatchObject([
      { kind: 'duplicate_in_file', line: 4, transferId: ids[0] },
      { kind: 'amount_differs', line: 5, fileAmount: '1.04', ourAmount: '1.03' },
      { kind: 'missing_here', line: 6, key: 'nobody', fileAmount: '7.00', ...none },
      // Requested, but no money has moved.
      { kind: 'missing_here', line: 8, key: ids[6], ...none },
      { kind: 'missing_there', line: null, transferId: ids[4], ourAmount: '1.05' },
      { kind: 'missing_there', line: null, transferId: ids[5], ourAmount: '1.06' },
    ]);
  });

  it.each([
    ['description', (n: number) => `invoice ${n}`],
    ['metadata.order', (n: number) => `o-${n}`],
    ['metadata.number', (n: number) => `${n}`],
  ])('finds transfers by their %s', async (by, reference) => {
    const rules = rulesOf({ match: { by } });
    const lines = ids.slice(0, TRANSFERS).map((_, n) => `${today},${reference(n + 1)},1.0${n + 1}`);
    expect(await found([HEADER, ...lines], rules)).toMatchObject({ code: 0, matched: TRANSFERS });
  });

  it('finds transfers by amount and date', async () => {
    const rules = rulesOf({ match: { by: 'amountAndDate' } });
    const lines = [`${dayFromNow(1)},,1.01`, `${today},,1.02`, `${dayFromNow(2)},,1.03`];
    const { matched, byKind } = await found([HEADER, ...lines], rules);
    expect(matched).toBe(2);
    expect(byKind).toMatchObject({ missing_here: 1, missing_there: 4 });
  });

  it('reads another notation, other currencies, signs and directions', async () => {
    const rules = rulesOf({
      file: {
        delimiter: ';',
        encoding: 'latin1',
        skipLines: 2,
        decimal: ',',
        grouping: '.',
        currency: undefined,
        dateFormat: 'DD.MM.YYYY',
        timeZone: 'Europe/Berlin',
        columns: { key: 'Zweck', amount: 'Betrag', date: 'Tag', currency: 'W' },
        sign: { column: 'SH', in: ['H'], out: ['S'] },
      },
      transfers: { account: payer, direction: 'out' },
    });
    const [year, month, day] = today.split('-');
    const line = (n: number, currency = 'EUR', side = 'S'): string =>
      `${day}.${month}.${year};"${ids[n]}";0.001,0${n + 1};${currency};${side}`;
    const lines = ['Kontoauszug', '', 'Tag;Zweck;Betrag;W;SH', line(0).replace('0.001', '1')];
    const bad = await match([...lines, line(1)], rules);
    expect(bad.err).toBe('');
    const { matched, linesLeftOut, differences } = await found(
      [...lines, line(1, 'USD').replace('0.001', '1'), line(2, 'EUR', 'H').replace('0.001', '1')],
      rules,
    );
    expect([matched, linesLeftOut]).toEqual([1, 1]);
    expect(differences[0]).toMatchObject({ kind: 'currency_differs', fileCurrency: 'USD' });
  });

  it('leaves out what is of another tenant, and lies outside of the days', async () => {
    const foreign = rulesOf({ transfers: { tenant: 'somebody-else' } });
    const theirs = await found(allLines(), foreign);
    expect(theirs).toMatchObject({ matched: 0, byKind: { missing_here: TRANSFERS } });
    const own = rulesOf({ transfers: { tenant: 'default' } });
    expect(await found(allLines(), own)).toMatchObject({ code: 0, matched: TRANSFERS });
    const past = rulesOf({ transfers: { from: '2001-01-01', to: '2001-02-01' } });
    const then = await found(allLines(), past);
    expect(then).toMatchObject({ code: 0, matched: 0, linesLeftOut: TRANSFERS });
  });

  it('writes a file for a spreadsheet in which no key is a formula', async () => {
    const lines = [...allLines(), `${today},"=cmd(""x"")",1.00`];
    const { code, out } = await match(lines, rulesOf(), '--format', 'csv', '--out', 'found.csv');
    expect([code, out]).toEqual([1, '']);
    const [header, row] = readFileSync(join(directory, 'found.csv'), 'utf8').split('\r\n');
    expect(header).toContain('kind,key,line,transferId,fileAmount');
    expect(row).toContain(`missing_here,"'=cmd(""x"")",8,,1.00,EUR,${today},,,`);
  });

  it.each<[string, (lines: string[]) => string[], string[]]>([
    [
      'cells that are no amounts, dates or keys',
      (lines) => [...lines, `${today},x,1.001`, `2026-02-30,x,1`, `${today},,1`, `${today},x,ten`],
      [
        'line 8: "1.001" has more',
        'line 9: "2026-02-30" is no date',
        'line 10: the key',
        'line 11',
      ],
    ],
    ['a line with too few cells', (lines) => [...lines, `${today},x`], ['line 8: ']],
    ['an unclosed quote', (lines) => [...lines, `${today},"x,1`], ['nothing was compared']],
    ['another header', (lines) => ['a,b,c', ...lines.slice(1)], ['no column "Reference"']],
    ['nothing in it', () => [''], ['has no header line']],
  ])('names what is wrong with a file that has %s', async (_what, change, mistakes) => {
    const { code, out, err } = await match(change(allLines()), rulesOf());
    expect([code, out]).toEqual([2, '']);
    for (const mistake of mistakes) expect(err).toContain(mistake);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it.each([
    [['external', 'match', 'no.csv'], "required option '--rules <file>'"],
    [['external', 'match', 'no.csv', '--rules', 'no.json'], 'the rules cannot be read'],
  ])('cannot run %j', async (args, line) => {
    const environment = { SURETY_SHARDS: shards.urls.join(',') };
    const { code, err } = await runInProcess(args, { environment, directory });
    expect(code).toBe(2);
    expect(err).toContain(line);
  });

  it('cannot run without its file or its account', async () => {
    const environment = { SURETY_SHARDS: shards.urls.join(',') };
    writeFileSync(join(directory, 'fine.json'), JSON.stringify(rulesOf()));
    const args = ['external', 'match', 'absent.csv', '--rules', 'fine.json'];
    const absent = await runInProcess(args, { environment, directory });
    expect([absent.code, absent.err]).toEqual([2, expect.stringContaining('cannot be read')]);
    const nobody = await match(allLines(), rulesOf({ transfers: { account: 'nobody' } }));
    expect([nobody.code, nobody.err]).toEqual([2, 'surety: there is no account nobody\n']);
  });
});
