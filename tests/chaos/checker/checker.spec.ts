import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SuretySystem, eventually } from '@surety/testing/system';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import { ChaosLoad } from '../journal/chaos-load.js';
import { answersIn, requestsIn } from '../journal/batch-lines.js';
import type { JournalAnswer, JournalLine } from '../journal/journal.js';
import { isBadRequest } from './asked-terms.js';
import { checkJournal } from './check-journal.js';
import { digestTables } from './digest-tables.js';
import { eventTextOf } from './event-text.js';
import { projectionsBehind } from './projections-behind.js';

type Row = Record<string, string>;

/** Tables that lies are written into, copied before and put back after each lie. */
const TABLES = [
  ...['accounts', 'balances', 'dead_letters', 'decisions', 'holds', 'idempotency_keys'],
  ...['ledger_entries', 'open_transfers', 'outbox', 'transaction_status', 'transfer_events'],
  'transfers',
];
const SEED = Number(process.env['SURETY_TEST_SEED'] ?? 7);

/** A sound system at rest, whose tables and journal can be bent and straightened again. */
class Bench {
  readonly #system: SuretySystem;
  readonly #admin: Connection;
  readonly #schemas: readonly string[];
  readonly #journal: readonly JournalLine[];

  private constructor(system: SuretySystem, admin: Connection, journal: readonly JournalLine[]) {
    this.#system = system;
    this.#admin = admin;
    this.#schemas = system.shardUrls.map((url) => new URL(url).pathname.slice(1));
    this.#journal = journal;
  }

  static async set(): Promise<Bench> {
    const system = await SuretySystem.start();
    try {
      const journal = await loadedJournal(system);
      const admin = await createConnection({
        uri: system.adminUrls[0] as string,
        ...{ multipleStatements: true, dateStrings: true },
        ...{ supportBigNumbers: true, bigNumberStrings: true },
      });
      const bench = new Bench(system, admin, journal);
      await bench.#eachTable(
        'CREATE DATABASE copy_of_$schema',
        'CREATE TABLE $copy SELECT * FROM $table',
      );
      return bench;
    } catch (error) {
      await system.stop();
      throw error;
    }
  }

  get shardUrls(): readonly string[] {
    return this.#system.shardUrls;
  }

  async take(): Promise<void> {
    await this.#admin.end();
    await this.#system.stop();
  }

  lines(): JournalLine[] {
    return [...this.#journal];
  }

  /** Rows of every shard, each with the name of its schema as `db`. */
  async rows(sql: string): Promise<Row[]> {
    const pages = await Promise.all(
      this.#schemas.map(async (schema) => {
        const [rows] = await this.#admin.query(sql.replaceAll('$', `${schema}.`));
        return (rows as Row[]).map((row): Row => ({ ...row, db: schema }));
      }),
    );
    return pages.flat();
  }

  async run(sql: string): Promise<void> {
    await this.#admin.query(sql);
  }

  otherThan(schema: string): string {
    return this.#schemas.find((name) => name !== schema) as string;
  }

  check(lines: readonly JournalLine[] = this.#journal): ReturnType<typeof checkJournal> {
    const journalFile = join(this.#system.directory, 'bent-journal.jsonl');
    writeFileSync(journalFile, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return checkJournal({ journalFile, shardUrls: this.shardUrls });
  }

  async restore(): Promise<void> {
    await this.#eachTable('', 'DELETE FROM $table; INSERT INTO $table SELECT * FROM $copy');
  }

  async #eachTable(first: string, each: string): Promise<void> {
    for (const schema of this.#schemas) {
      if (first !== '') await this.run(first.replace('$schema', schema));
      for (const table of TABLES) {
        const names = each.replaceAll('$copy', `copy_of_${schema}.${table}`);
        await this.run(names.replaceAll('$table', `${schema}.${table}`));
      }
    }
  }
}

/** Runs until every kind of end was seen, then lets the system come to rest. */
async function loadedJournal(system: SuretySystem): Promise<JournalLine[]> {
  const load = new ChaosLoad({
    journalFile: join(system.directory, 'journal.jsonl'),
    ...{ baseUrls: [system.httpUrl], seed: SEED, accounts: 30, concurrency: 12 },
  });
  await load.start();
  const isRich = (): true | undefined => {
    const { committed, rejected, cancelled, batches, badRequestsRefused } = load.stats;
    const text = readFileSync(load.journal.file, 'utf8');
    const isMixed = rejected > 4 && cancelled > 1 && text.includes('destination_not_found');
    const hasBatches = batches > 5 && badRequestsRefused > 0;
    // Another request under a used key was refused alone, and as a member of a batch.
    const isRefused = [/"op":"submit".*"status":422/, /"op":"batch".*"status":422/];
    const areReusesRefused = isRefused.every((form) => form.test(text));
    return (committed > 60 && isMixed && hasBatches && areReusesRefused) || undefined;
  };
  await eventually('ends of every kind', isRich, { withinMs: 240_000 });
  const { unfinished } = await load.drain(120_000);
  expect(unfinished).toBe(0);
  await system.drained(120_000);
  const isProjected = async (): Promise<true | undefined> =>
    (await projectionsBehind(system.shardUrls)) === 0 ? true : undefined;
  await eventually('the projections', isProjected, { withinMs: 60_000, everyMs: 500 });
  const processes = ['ingress', 'relay', 'workers', 'projector', 'reconciler'] as const;
  await Promise.all(processes.map((name) => system.process(name).stop()));
  return readFileSync(load.journal.file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JournalLine);
}

describe('the checker', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await Bench.set();
  });

  afterEach(() => bench.restore());

  afterAll(() => bench?.take());

  async function anyOf(sql: string): Promise<Row> {
    const [row] = await bench.rows(sql);
    if (!row) throw new Error(`seed ${SEED} gave no row for ${sql}`);
    return row;
  }

  const COLUMNS = 'LOWER(HEX(id)) AS hex, source, destination, amount, state';
  const transfer = (state: string, and = ''): Promise<Row> =>
    anyOf(
      `SELECT ${COLUMNS} FROM $transfers WHERE kind = 'transfer' AND state = '${state}' ${and}`,
    );
  const uuid = (hex = ''): string =>
    [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
      '-',
    );

  it('finds nothing wrong with a sound system, and counts what it has seen', async () => {
    const { violations, counts } = await bench.check();
    expect({ seed: SEED, violations }).toEqual({ seed: SEED, violations: [] });
    const lines = bench.lines();
    const submitted = lines
      .flatMap((line) => (line.answer ? [] : requestsIn(line)))
      .filter(({ op, request = {} }) => op === 'submit' && !isBadRequest(request));
    expect(counts['transfers']).toBe(new Set(submitted.map(({ key }) => key)).size);
    expect(counts['membersTaken']).toBe(membersIn(lines).filter(isTaken).length);
    expect(counts['badRequestsRefused']).toBeGreaterThan(0);
    expect(counts).toMatchObject({ lost: 0, doubled: 0, accounts: 30 });
    expect(counts['calls']).toBe(lines.length / 2);
    expect(counts['cancelsWon']).toBeGreaterThan(0);
  });

  type Lie = () => Promise<JournalLine[]>;
  type TableLie = () => Promise<void>;

  /** The last line that fits, which is an answer. */
  function answerOf(op: string, status: number, more = (_: JournalLine): boolean => true) {
    return bench
      .lines()
      .findLast(
        (line) =>
          line.op === op &&
          line.answer !== undefined &&
          'status' in line.answer &&
          line.answer.status === status &&
          more(line),
      ) as JournalLine;
  }

  /** The journal with one more call and its answer at its end. */
  function withCall(like: JournalLine, status: number, body: Record<string, unknown>) {
    const { answer: _, ...line } = { ...like, call: 10_000_000 };
    const first = bench.lines().find(({ call }) => call === like.call) as JournalLine;
    const asked = first.request ? { ...line, request: first.request } : line;
    return [...bench.lines(), asked, { ...line, answer: { status, body } }];
  }

  interface Member {
    readonly key: string;
    readonly answer: JournalAnswer;
    /** The number of the call for its batch, and its place there. */
    readonly call: number;
    readonly at: number;
  }

  const isTaken = ({ answer }: Member): boolean => 'status' in answer && answer.status === 202;
  const idOf = ({ answer }: Member): string =>
    'body' in answer ? String(answer.body['transactionId']) : '';

  /** Every answered member of every batch. */
  function membersIn(lines: readonly JournalLine[]): Member[] {
    const asked = new Map(
      lines.filter(({ answer }) => !answer).map((line) => [line.call, requestsIn(line)]),
    );
    return lines.flatMap(({ op, call, answer }) => {
      const requests = asked.get(call) ?? [];
      if (op !== 'batch' || !answer) return [];
      const answers = answersIn(answer, requests.length);
      return requests.map(({ key }, at) => ({ key, call, at, answer: answers[at]! }));
    });
  }

  /** Whether the lines of its key are all that was said of it: a batch may repeat the key of another. */
  function isInNoBatch({ key }: JournalLine): boolean {
    const batches = bench.lines().filter(({ op, answer }) => op === 'batch' && !answer);
    return !batches.some((line) => requestsIn(line).some((request) => request.key === key));
  }

  /** A member that was told so, of a batch whose every member has a result. */
  function memberTold(status: number): Member {
    const told = membersIn(bench.lines()).find(
      ({ answer }) => 'status' in answer && answer.status === status && !('results' in answer.body),
    );
    if (!told) throw new Error(`seed ${SEED} gave no member of a batch that was told ${status}`);
    return told;
  }

  /** The journal with other results where a batch was answered. */
  function withResults(
    change: (results: readonly unknown[], call: number) => readonly unknown[],
  ): JournalLine[] {
    return bench.lines().map((line) => {
      if (line.op !== 'batch' || !line.answer || !('status' in line.answer)) return line;
      const { status, body } = line.answer;
      if (!Array.isArray(body['results'])) return line;
      const results = change(body['results'] as unknown[], line.call);
      return { ...line, answer: { status, body: { ...body, results } } };
    });
  }

  /** The journal in which one member was told of a transfer that there is not. */
  function withNewsOf({ call, at }: Member): JournalLine[] {
    const transfer = { transactionId: '01a1fca5-f76e-721e-aac7-b66eab826430' };
    const told = { status: 202, replayed: false, transfer };
    return withResults((results, of) => (of === call ? results.with(at, told) : results));
  }

  /** A committed transfer that was asked for in a batch. */
  async function committedMember(): Promise<{ row: Row; key: string; id: string }> {
    const rows = await bench.rows(
      `SELECT ${COLUMNS} FROM $transfers WHERE kind = 'transfer' AND state = 'committed'`,
    );
    const ids = new Map(rows.map((row) => [uuid(row['hex']), row]));
    const taken = membersIn(bench.lines()).filter(isTaken);
    const member = taken.find((one) => ids.has(idOf(one)));
    if (!member) throw new Error(`seed ${SEED} gave no member of a batch that was committed`);
    const id = idOf(member);
    return { row: ids.get(id) as Row, key: member.key, id };
  }

  function saying(id: string, body: Record<string, unknown>, status = 200, op = 'poll') {
    const like = { ...answerOf('poll', 200), op: op as 'poll', transferId: id, key: id };
    return withCall(like, status, body);
  }

  const JOURNAL_LIES: [string, Lie][] = [
    [
      'status went backwards',
      async () => saying(uuid((await transfer('committed'))['hex']), { status: 'held' }),
    ],
    [
      'two ends were told',
      async () => saying(uuid((await transfer('committed'))['hex']), { status: 'rejected' }),
    ],
    [
      'two ends were told',
      async () => saying(uuid((await transfer('committed'))['hex']), {}, 200, 'cancel'),
    ],
    [
      'two ends were told',
      async () => {
        const id = uuid((await transfer('cancelled'))['hex']);
        return saying(id, { status: 409, state: 'committed' }, 409, 'cancel');
      },
    ],
    [
      'answer differs from history',
      async () => {
        const id = uuid((await transfer('committed'))['hex']);
        const others = bench.lines().filter((line) => line.transferId !== id || line.op !== 'poll');
        const lie = saying(id, { status: 'cancelled', reason: 'cancelled_by_client' }).slice(-2);
        return [
          ...others.filter(({ transferId, op }) => transferId !== id || op !== 'cancel'),
          ...lie,
        ];
      },
    ],
    [
      'acknowledged transfer not found',
      async () => {
        const id = uuid((await transfer('committed'))['hex']);
        return saying(id, { status: 404, code: 'transfer-not-found' }, 404);
      },
    ],
    [
      'acknowledged transfer missing',
      async () => {
        const like = answerOf('submit', 202, (line) => line.attempt === 1);
        const key = 'a key of its own';
        const first = bench.lines().find(({ call }) => call === like.call) as JournalLine;
        const request = { ...first.request, description: key };
        const transactionId = '01a1fca5-f76e-721e-aac7-b66eab826430';
        const answer = { status: 202, body: { transactionId } };
        const line = { ...like, key, call: 10_000_000, transferId: transactionId };
        const { answer: _, ...asked } = { ...line, request };
        return [...bench.lines(), asked, { ...line, answer }];
      },
    ],
    [
      'key answered with several transfers',
      async () => {
        const transactionId = '01a1fca5-f76e-721e-aac7-b66eab826430';
        const like = answerOf('submit', 202, ({ attempt }) => attempt < 300);
        return withCall(like, 202, { transactionId });
      },
    ],
    [
      'key used for two requests',
      async () => withCall(answerOf('submit', 422), 202, { transactionId: 'another' }),
    ],
    [
      'transfer nobody asked for',
      async () => {
        const { key } = answerOf('submit', 202, isInNoBatch);
        return bench.lines().filter((line) => line.key !== key);
      },
    ],
    [
      'refused request took effect',
      async () => {
        const { key } = answerOf('submit', 202, isInNoBatch);
        const answer = { status: 400, body: { code: 'invalid-request' } };
        return bench
          .lines()
          .filter((line) => line.key !== key || line.op === 'submit')
          .map((line) => (line.key === key && line.answer ? { ...line, answer } : line));
      },
    ],
    ['acknowledged transfer missing', async () => withNewsOf(memberTold(202))],
    ['key used for two requests', async () => withNewsOf(memberTold(422))],
    ['bad request was taken', async () => withNewsOf(memberTold(400))],
    [
      'key answered with several transfers',
      async () => {
        const { call } = memberTold(202);
        const [asked, answered] = bench.lines().filter((line) => line.call === call);
        const again = [asked!, answered!].map((line) => ({ ...line, call: 10_000_000 }));
        const changed = withNewsOf(memberTold(202));
        return [...changed, ...again];
      },
    ],
    [
      'acknowledged transfer missing',
      async () => {
        // Two members get each other's results.
        const taken = membersIn(bench.lines()).filter(isTaken);
        const one = taken.find(({ call, key }) =>
          taken.some((other) => other.call === call && other.key !== key),
        )!;
        const other = taken.find(({ call, key }) => call === one.call && key !== one.key)!;
        return withResults((results, call) =>
          call === one.call
            ? results.with(one.at, results[other.at]).with(other.at, results[one.at])
            : results,
        );
      },
    ],
    ['transfer nobody asked for', async () => bench.lines().filter(({ op }) => op !== 'batch')],
    [
      'answer unexpected',
      async () => {
        const { call } = memberTold(202);
        return withResults((results, of) => (of === call ? results.slice(1) : results));
      },
    ],
    [
      'refused request took effect',
      async () => {
        const { key } = memberTold(202);
        const places = membersIn(bench.lines()).filter((one) => one.key === key);
        const problem = { status: 400, code: 'invalid-request' };
        const isOf = (call: number, at: number): boolean =>
          places.some((one) => one.call === call && one.at === at);
        const told = withResults((results, call) =>
          results.map((result, at) => (isOf(call, at) ? { status: 400, problem } : result)),
        );
        return told.filter((line) => line.key !== key);
      },
    ],
    ['answer taken back', async () => withCall(answerOf('fund', 201), 422, { code: 'x' })],
    [
      'answer differs from history',
      async () => {
        const unheld = `AND NOT EXISTS (SELECT 1 FROM $transfer_events AS e
          WHERE e.transfer_id = id AND (e.type = 'held' OR e.step = 30))`;
        return saying(uuid((await transfer('rejected', unheld))['hex']), { status: 'held' });
      },
    ],
    [
      'two terms were told',
      async () => {
        const transactionId = uuid((await transfer('committed'))['hex']);
        const terms = { amount: '987654', currency: 'EUR' };
        return saying(transactionId, { transactionId, status: 'committed', ...terms });
      },
    ],
    [
      'answer about another transfer',
      async () => {
        const transactionId = uuid((await transfer('rejected'))['hex']);
        return saying(uuid((await transfer('committed'))['hex']), { transactionId });
      },
    ],
    ['internal error', async () => withCall(answerOf('submit', 202), 500, {})],
    ['answer unexpected', async () => withCall(answerOf('submit', 202), 405, {})],
    [
      'account nobody opened',
      async () => {
        const { key } = answerOf('open', 201);
        return bench.lines().filter((line) => line.key !== key);
      },
    ],
  ];

  it.each(JOURNAL_LIES)('names a lie in what clients were told: %s', async (kind, lie) => {
    const lines = await lie();
    const { violations } = await bench.check(lines);
    expect(violations).toContainEqual(expect.stringMatching(`^${kind}: `));
  });

  it('takes an unknown outcome for one that may have happened', async () => {
    const { key } = answerOf('submit', 202, (line) => line.attempt === 1 && isInNoBatch(line));
    const lines = bench
      .lines()
      .filter((line) => line.key !== key || (line.op === 'submit' && line.attempt === 1))
      .map((line) => {
        if (line.key !== key || !line.answer) return line;
        const { transferId: _, ...rest } = line;
        return { ...rest, answer: { unknown: 'ECONNRESET' } };
      });
    expect((await bench.check(lines)).violations).toEqual([]);
    const unanswered = lines.filter((line) => line.key !== key || !line.answer);
    expect((await bench.check(unanswered)).violations).toEqual([]);
  });

  const BY_ID = (row: Row, column = 'transfer_id'): string => `${column} = UNHEX('${row['hex']}')`;

  async function doubleTransfer(row: Row): Promise<void> {
    const fresh = `${row['hex']?.slice(0, -4)}0000`;
    for (const [table, id] of Object.entries({
      transfers: 'id',
      transfer_events: 'transfer_id',
      decisions: 'transfer_id',
    })) {
      for (const { db } of await bench.rows(`SELECT 1 FROM $${table} LIMIT 1`)) {
        await bench.run(`CREATE TEMPORARY TABLE ${db}.more AS
          SELECT * FROM ${db}.${table} WHERE ${BY_ID(row, id)};
          UPDATE ${db}.more SET ${id} = UNHEX('${fresh}');
          INSERT INTO ${db}.${table} SELECT * FROM ${db}.more; DROP TEMPORARY TABLE ${db}.more`);
      }
    }
  }

  /** The second leg of an account comes before its deposit. */
  async function spentBeforeItCame(): Promise<void> {
    const {
      db,
      account_id: account,
      amount,
    } = await anyOf(
      'SELECT account_id, amount FROM $ledger_entries WHERE entry_seq = 2 AND amount < 0',
    );
    const own = `UPDATE ${db}.ledger_entries SET`;
    await bench.run(`${own} entry_seq = 0 WHERE account_id = '${account}' AND entry_seq = 1;
      ${own} entry_seq = 1, balance_after = ${amount} WHERE account_id = '${account}' AND entry_seq = 2;
      ${own} entry_seq = 2, balance_after = ${amount} + amount
        WHERE account_id = '${account}' AND entry_seq = 0`);
  }

  /** A hold that one event alone tells of: a refusal right after it also says how the account stands. */
  async function heldAlone(): Promise<Row> {
    const rows = await bench.rows(
      'SELECT LOWER(HEX(transfer_id)) AS hex, type, envelope FROM $transfer_events',
    );
    const standings = rows.map(({ envelope = '' }) =>
      eventTextOf(envelope).accounts.map(({ id, version }) => `${id} at ${version}`),
    );
    const told = standings.flat();
    const isToldOnce = (one: string): boolean => told.indexOf(one) === told.lastIndexOf(one);
    const at = rows.findIndex(
      ({ type }, index) => type === 'held' && standings[index]!.every(isToldOnce),
    );
    if (at < 0) throw new Error(`seed ${SEED} gave no hold that one event alone tells of`);
    return rows[at]!;
  }

  /** A decision with its event, on the shard that has not to say it. */
  async function decidedElsewhere(decisions: string): Promise<void> {
    const row = await anyOf(`SELECT LOWER(HEX(transfer_id)) AS hex FROM ${decisions}`);
    const { db = '' } = row;
    for (const table of ['decisions', 'transfer_events']) {
      const where = table === 'decisions' ? BY_ID(row) : `step = 30 AND ${BY_ID(row)}`;
      await bench.run(`INSERT INTO ${bench.otherThan(db)}.${table}
        SELECT * FROM ${db}.${table} WHERE ${where};
        DELETE FROM ${db}.${table} WHERE ${where}`);
    }
  }

  const TABLE_LIES: [string, TableLie][] = [
    [
      'acknowledged transfer missing',
      async () => {
        const row = await transfer('committed');
        await bench.run(`DELETE FROM ${row['db']}.transfers WHERE ${BY_ID(row, 'id')}`);
      },
    ],
    [
      'rows without their transfer',
      async () => {
        const row = await transfer('committed');
        await bench.run(`DELETE FROM ${row['db']}.transfers WHERE ${BY_ID(row, 'id')}`);
      },
    ],
    [
      'transfer stored twice',
      async () => {
        const row = await transfer('committed');
        const { db = '' } = row;
        await bench.run(`INSERT INTO ${bench.otherThan(db)}.transfers
          SELECT * FROM ${db}.transfers WHERE ${BY_ID(row, 'id')}`);
      },
    ],
    ['key made several transfers', async () => doubleTransfer(await transfer('committed'))],
    [
      'bad request took effect',
      async () => {
        const { key } = memberTold(400);
        const row = await transfer('committed');
        await bench.run(`UPDATE ${row['db']}.transfer_events SET envelope = REGEXP_REPLACE(envelope,
          '"chaos-[0-9]+-key-[0-9]+"', '"${key} as a bad request"')
          WHERE step = 10 AND ${BY_ID(row)}`);
      },
    ],
    [
      'used key made another transfer',
      async () => {
        const { key, call } = answerOf('submit', 422);
        const { request } = bench.lines().find((line) => line.call === call) as JournalLine;
        const row = await anyOf(`SELECT LOWER(HEX(transfer_id)) AS hex FROM $transfer_events
          WHERE step = 10 AND envelope LIKE '%"${key}"%'`);
        await bench.run(`UPDATE ${row['db']}.transfer_events SET envelope = REPLACE(envelope,
          '"${key}"', '"${String(request?.['description'])}"') WHERE ${BY_ID(row)}`);
      },
    ],
    [
      'transfer altered',
      async () => {
        const row = await transfer('committed');
        await bench.run(
          `UPDATE ${row['db']}.transfers SET amount = amount + 1 WHERE ${BY_ID(row, 'id')}`,
        );
      },
    ],
    [
      'terms differ',
      async () => {
        const row = await anyOf(
          `SELECT LOWER(HEX(transfer_id)) AS hex FROM $decisions WHERE outcome = 'credited'`,
        );
        await bench.run(
          `UPDATE ${row['db']}.decisions SET amount = amount + 1 WHERE ${BY_ID(row)}`,
        );
      },
    ],
    [
      'state is not the end of the history',
      async () => {
        const row = await transfer('cancelled');
        await bench.run(
          `UPDATE ${row['db']}.transfers SET state = 'committed' WHERE ${BY_ID(row, 'id')}`,
        );
      },
    ],
    [
      'answer differs from history',
      async () => {
        const row = await transfer('cancelled');
        await bench.run(
          `UPDATE ${row['db']}.transfers SET state = 'committed' WHERE ${BY_ID(row, 'id')}`,
        );
      },
    ],
    [
      'reasons differ',
      async () => {
        const row = await transfer('rejected');
        await bench.run(
          `UPDATE ${row['db']}.transfers SET reason = 'other' WHERE ${BY_ID(row, 'id')}`,
        );
      },
    ],
    [
      'history is not legal',
      async () => {
        const row = await transfer('committed');
        await bench.run(
          `DELETE FROM ${row['db']}.transfer_events WHERE step = 20 AND ${BY_ID(row)}`,
        );
      },
    ],
    [
      'event is not what its row says',
      async () => {
        const row = await transfer('committed');
        await bench.run(`UPDATE ${row['db']}.transfer_events SET envelope =
          REPLACE(envelope, '"type":"held"', '"type":"requested"') WHERE step = 20 AND ${BY_ID(row)}`);
      },
    ],
    [
      'decision differs from its event',
      async () => {
        const row = await anyOf(
          `SELECT LOWER(HEX(transfer_id)) AS hex FROM $decisions WHERE outcome = 'credited'`,
        );
        await bench.run(`UPDATE ${row['db']}.decisions SET outcome = 'voided' WHERE ${BY_ID(row)}`);
      },
    ],
    [
      'decision differs from its event',
      async () => {
        const row = await anyOf('SELECT LOWER(HEX(transfer_id)) AS hex FROM $decisions');
        await bench.run(`DELETE FROM ${row['db']}.decisions WHERE ${BY_ID(row)}`);
      },
    ],
    ['rows on another shard', async () => decidedElsewhere('$decisions')],
    [
      'rows on another shard',
      async () => decidedElsewhere("$decisions WHERE reason = 'destination_not_found'"),
    ],
    [
      'transfer without one key',
      async () => {
        const row = await transfer('committed');
        await bench.run(`DELETE FROM ${row['db']}.idempotency_keys WHERE ${BY_ID(row)}`);
      },
    ],
    [
      'key without its transfer',
      async () => {
        const row = await transfer('committed');
        await bench.run(
          `UPDATE ${row['db']}.idempotency_keys SET transfer_id = NULL WHERE ${BY_ID(row)}`,
        );
      },
    ],
    [
      'key without its transfer',
      async () => {
        const { db, hash } = await anyOf(
          'SELECT HEX(key_hash) AS hash FROM $idempotency_keys WHERE transfer_id IS NULL',
        );
        await bench.run(`UPDATE ${db}.idempotency_keys
          SET answer = '{"accountId":"nobody"}' WHERE key_hash = x'${hash}'`);
      },
    ],
    [
      'answer differs from history',
      async () => {
        const row = await transfer('committed');
        await bench.run(
          `UPDATE ${row['db']}.transfers SET amount = amount + 1 WHERE ${BY_ID(row, 'id')}`,
        );
      },
    ],
    [
      'held more than there was',
      async () => {
        const row = await transfer('committed');
        await bench.run(`UPDATE ${row['db']}.transfer_events SET envelope =
          REGEXP_REPLACE(envelope, '"(?=[0-9]+","[0-9]+"..[}]$)', '"99999999')
          WHERE step = 20 AND ${BY_ID(row)}`);
      },
    ],
    [
      'two changes of an account have one version',
      async () => {
        const row = await transfer('committed');
        await bench.run(`UPDATE ${row['db']}.transfer_events SET envelope =
          REGEXP_REPLACE(envelope, '"[0-9]+"(?=..[}]$)', '"1"')
          WHERE step = 40 AND ${BY_ID(row)}`);
      },
    ],
    [
      'account is not what its events say',
      async () => {
        const row = await heldAlone();
        await bench.run(
          `DELETE FROM ${row['db']}.transfer_events WHERE step = 20 AND ${BY_ID(row)}`,
        );
      },
    ],
    [
      'leg too many',
      async () => {
        // A credit that took effect twice, balanced in every respect.
        const row = await anyOf(`SELECT LOWER(HEX(transfer_id)) AS hex, account_id, amount
          FROM $ledger_entries WHERE step = 30 AND entry_seq IS NOT NULL`);
        const { db, account_id: account, amount } = row;
        await bench.run(`CREATE TEMPORARY TABLE ${db}.more AS
            SELECT * FROM ${db}.ledger_entries WHERE step = 30 AND ${BY_ID(row)};
          UPDATE ${db}.more SET leg = leg + 10;
          UPDATE ${db}.more SET entry_seq = 1 + (SELECT entry_seq FROM ${db}.accounts
            WHERE id = '${account}'), balance_after = ${amount} + (SELECT balance
            FROM ${db}.accounts WHERE id = '${account}') WHERE entry_seq IS NOT NULL;
          INSERT INTO ${db}.ledger_entries SELECT * FROM ${db}.more;
          DROP TEMPORARY TABLE ${db}.more;
          UPDATE ${db}.accounts SET balance = balance + ${amount}, entry_seq = entry_seq + 1
            WHERE id = '${account}';
          UPDATE ${db}.balances SET balance = balance + ${amount} WHERE account_id = '${account}'`);
      },
    ],
    [
      'leg missing',
      async () => {
        const row = await transfer('committed');
        await bench.run(
          `DELETE FROM ${row['db']}.ledger_entries WHERE step = 40 AND ${BY_ID(row)}`,
        );
      },
    ],
    [
      'leg without its place',
      async () => {
        const { db, account_id: account } = await anyOf(
          'SELECT account_id FROM $ledger_entries WHERE entry_seq = 1',
        );
        await bench.run(`UPDATE ${db}.ledger_entries SET entry_seq = NULL
          WHERE entry_seq = 1 AND account_id = '${account}'`);
      },
    ],
    [
      'money does not sum to zero',
      async () => {
        const row = await anyOf(`SELECT LOWER(HEX(transfer_id)) AS hex FROM $ledger_entries
          WHERE account_id LIKE '~transit%'`);
        await bench.run(`UPDATE ${row['db']}.ledger_entries SET amount = amount + 1
          WHERE account_id LIKE '~transit%' AND ${BY_ID(row)}`);
      },
    ],
    [
      'entries are not dense',
      async () => {
        const { db, account_id: account } = await anyOf(
          'SELECT account_id FROM $ledger_entries WHERE entry_seq = 2',
        );
        await bench.run(`UPDATE ${db}.ledger_entries SET entry_seq = entry_seq + 1
          WHERE account_id = '${account}' AND entry_seq > 1 ORDER BY entry_seq DESC`);
      },
    ],
    [
      'balance after an entry differs',
      async () => {
        const { db, account_id: account } = await anyOf(
          'SELECT account_id FROM $ledger_entries WHERE entry_seq = 1',
        );
        await bench.run(`UPDATE ${db}.ledger_entries SET balance_after = balance_after - 1
          WHERE account_id = '${account}' AND entry_seq = 1`);
      },
    ],
    ['account below zero', spentBeforeItCame],
    [
      'balance is not the sum of its legs',
      async () => {
        const { db, id } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`UPDATE ${db}.accounts SET balance = balance + 1 WHERE id = '${id}'`);
      },
    ],
    [
      'balance differs',
      async () => {
        const { db, id } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`UPDATE ${db}.accounts SET balance = balance + 1 WHERE id = '${id}'`);
      },
    ],
    [
      'held is not zero',
      async () => {
        const { db, id } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`UPDATE ${db}.accounts SET held = 1 WHERE id = '${id}'`);
      },
    ],
    [
      'overdraft nobody asked for',
      async () => {
        const { db, id } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`UPDATE ${db}.accounts SET overdraft_limit = 1 WHERE id = '${id}'`);
      },
    ],
    [
      'account altered',
      async () => {
        const { db, id } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`UPDATE ${db}.accounts SET currency = 'XXX' WHERE id = '${id}'`);
      },
    ],
    [
      'acknowledged account missing',
      async () => {
        const { db, id } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`DELETE FROM ${db}.accounts WHERE id = '${id}'`);
      },
    ],
    [
      'account stored twice',
      async () => {
        const { db = '', id } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`INSERT INTO ${bench.otherThan(db)}.accounts
          SELECT * FROM ${db}.accounts WHERE id = '${id}'`);
      },
    ],
    [
      'legs without their account',
      async () => {
        const { db, id } = await anyOf('SELECT id FROM $accounts WHERE entry_seq > 0');
        await bench.run(`DELETE FROM ${db}.accounts WHERE id = '${id}'`);
      },
    ],
    [
      'balance projection differs',
      async () => {
        const { db, id } = await anyOf('SELECT account_id AS id FROM $balances');
        await bench.run(
          `UPDATE ${db}.balances SET balance = balance - 1 WHERE account_id = '${id}'`,
        );
      },
    ],
    [
      'balance projection differs',
      async () => {
        const { db, id } = await anyOf('SELECT account_id AS id FROM $balances');
        await bench.run(`DELETE FROM ${db}.balances WHERE account_id = '${id}'`);
      },
    ],
    [
      'status projection differs',
      async () => {
        const row = await transfer('rejected');
        await bench.run(
          `UPDATE ${row['db']}.transaction_status SET status = 'held' WHERE ${BY_ID(row)}`,
        );
      },
    ],
    [
      'left in holds',
      async () => {
        const { db } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`INSERT INTO ${db}.holds VALUES (UNHEX(MD5('x')), 1, 'a', 1, NOW(6))`);
      },
    ],
    [
      'left in open_transfers',
      async () => {
        const { db } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`INSERT INTO ${db}.open_transfers VALUES (1, NOW(6), UNHEX(MD5('x')))`);
      },
    ],
    [
      'left in outbox',
      async () => {
        const { db } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`INSERT INTO ${db}.outbox VALUES (NULL, 'ended', 1, '[]', NOW(6))`);
      },
    ],
    [
      'left in dead_letters',
      async () => {
        const { db } = await anyOf('SELECT id FROM $accounts');
        await bench.run(`INSERT INTO ${db}.dead_letters (slot, consumer, topic, topic_partition,
          topic_offset, error, payload, created_at)
          VALUES (1, 'workers', 'to-source', 1, 7, 'broken', '[]', NOW(6))`);
      },
    ],
  ];

  it.each(TABLE_LIES)('names a lie in the tables: %s', async (kind, lie) => {
    await lie();
    const { violations } = await bench.check();
    expect(violations).toContainEqual(expect.stringMatching(`^${kind}: `));
  });

  it('names the member of a batch that was lost', async () => {
    const { row, key, id } = await committedMember();
    await bench.run(`DELETE FROM ${row['db']}.transfers WHERE ${BY_ID(row, 'id')}`);
    const { violations, counts } = await bench.check();
    expect(violations).toContain(`acknowledged transfer missing: ${id} of key ${key}`);
    expect(counts['lost']).toBe(1);
  });

  it('names the member of a batch that was doubled', async () => {
    const { row, key } = await committedMember();
    await doubleTransfer(row);
    const { violations, counts } = await bench.check();
    expect(violations).toContainEqual(
      expect.stringMatching(`^key made several transfers: ${key}: `),
    );
    expect(counts['doubled']).toBe(1);
  });

  it('counts the projections that are behind', async () => {
    expect(await projectionsBehind(bench.shardUrls)).toBe(0);
    const row = await transfer('rejected');
    await bench.run(
      `UPDATE ${row['db']}.transaction_status SET status = 'held' WHERE ${BY_ID(row)}`,
    );
    const { db, id } = await anyOf('SELECT account_id AS id FROM $balances');
    await bench.run(`DELETE FROM ${db}.balances WHERE account_id = '${id}'`);
    expect(await projectionsBehind(bench.shardUrls)).toBe(2);
  });

  it('gives a table another digest for each byte, and none for the order of its rows', async () => {
    const before = await digestTables(bench.shardUrls);
    await bench.restore();
    expect(await digestTables(bench.shardUrls)).toEqual(before);
    const { db, id } = await anyOf('SELECT account_id AS id FROM $balances');
    await bench.run(`UPDATE ${db}.balances SET updated_at = updated_at + INTERVAL 1 MICROSECOND
      WHERE account_id = '${id}'`);
    const after = await digestTables(bench.shardUrls);
    const changed = [...after.keys()].filter((name) => after.get(name) !== before.get(name));
    expect(changed).toEqual([expect.stringMatching(/^[01]\.balances$/)]);
  });
});
