import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { HOT_ACCOUNT, accountName } from './accounts.mjs';
import { comparisonOf, otherCircumstancesOf } from './comparison.mjs';
import { framesOf, svgOf } from './flame-graph.mjs';
import { HttpConnection, postBytes } from './http-connection.mjs';
import { memoryOf } from './memory-samples.mjs';
import { provenUntilOf } from './meters.mjs';
import { Draw, pairsOf } from './pairs.mjs';
import { referenceLoopMs } from './reference-loop.mjs';
import { memoryLinesOf, resultOf, tableOf, tuningOf } from './result.mjs';

describe('the drawn pairs', () => {
  const shardOf = (account) => Number(account.slice(-1)) % 2;
  const draws = (pairs, count = 500) => {
    const pair = pairsOf({ pairs, accounts: 100 }, new Draw(7), shardOf);
    return Array.from({ length: count }, pair);
  };

  test.each(['uniform', 'same-shard', 'cross-shard', 'hot-destination', 'hot-source', 'zipf'])(
    '%s never pays itself and is the same for the same seed',
    (pairs) => {
      const drawn = draws(pairs);
      expect(drawn.every(([source, destination]) => source !== destination)).toBe(true);
      expect(draws(pairs)).toEqual(drawn);
    },
  );

  test('of one kind stay in it', () => {
    const isSame = ([source, destination]) => shardOf(source) === shardOf(destination);
    expect(draws('same-shard').every(isSame)).toBe(true);
    expect(draws('cross-shard').some(isSame)).toBe(false);
    expect(draws('hot-source').every(([source]) => source === HOT_ACCOUNT)).toBe(true);
    expect(draws('hot-destination').every(([, to]) => to === HOT_ACCOUNT)).toBe(true);
  });

  test('of zipf come by rank: the first about as often as the second and third together', () => {
    const drawn = draws('zipf', 20_000).map(([source]) => source);
    const share = (rank) => drawn.filter((name) => name === accountName(rank - 1)).length;
    const ratio = share(1) / (share(2) + share(3));
    expect(ratio).toBeGreaterThan(1);
    expect(ratio).toBeLessThan(1.5);
  });
});

describe('the connection', () => {
  let server;
  let connection;

  afterEach(async () => {
    connection.close();
    await new Promise((resolve) => server.close(resolve));
  });

  async function answering(pieces) {
    server = createServer((socket) => {
      socket.on('data', async () => {
        for (const piece of pieces) {
          socket.write(piece);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        if (pieces.length === 0) socket.destroy();
      });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    connection = new HttpConnection(server.address().port);
    const send = () =>
      new Promise((resolve) => connection.send(postBytes('/x', 'key', '{"a":1}'), resolve));
    return send;
  }

  test('reads an answer that comes in pieces, and the next one on the same socket', async () => {
    const send = await answering([
      'HTTP/1.1 202 Accepted\r\nContent-Le',
      'ngth: 5\r\n\r\nhel',
      'lo',
    ]);
    expect(await send()).toEqual({ status: 202, body: 'hello', retryAfterSeconds: 0 });
    expect(await send()).toMatchObject({ status: 202, body: 'hello' });
  });

  test('says when to come again', async () => {
    const send = await answering([
      'HTTP/1.1 503 Busy\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n',
    ]);
    expect(await send()).toEqual({ status: 503, body: '', retryAfterSeconds: 2 });
  });

  test('that breaks has an unknown outcome', async () => {
    const send = await answering([]);
    expect(await send()).toMatchObject({ status: 0 });
  });
});

function meters(cpuMs) {
  return {
    kafkaMessages: 10 * cpuMs,
    sqlStatements: cpuMs,
    sqlCommits: cpuMs,
    batches: { ingress: { items: cpuMs * 4, count: cpuMs } },
    cpuMs: { ingress: cpuMs },
    rssMb: { ingress: 100, relay: 120.4, mariadb: 900 },
  };
}

const histogram = { summaryMs: { p50: 1, p90: 2, p99: 3, max: 4 }, percentilesUs: {} };
const aResult = (ended = 200) =>
  resultOf({
    scenario: { name: 'uniform' },
    load: {
      ...{ offered: 220, acknowledged: ended, ended, missing: 0, statuses: { 202: ended } },
      ...{ sentSeconds: 2, wholeSeconds: 4, generatorCpuMs: 22 },
      ...{ answers: histogram, ends: histogram },
    },
    before: meters(100),
    after: meters(300),
    checkIsClean: true,
  });

describe('a result', () => {
  test('counts what ended over the whole time, emptying included, and the cost of that', () => {
    expect(aResult()).toMatchObject({
      offeredPerSecond: 110,
      acknowledgedPerSecond: 100,
      committedPerSecond: 50,
      cpuMsPerTransfer: 1,
      cpuMsByProcess: { ingress: 1 },
      generatorCpuMsPerTransfer: 0.1,
      sqlStatementsPerTransfer: 1,
      kafkaMessagesPerTransfer: 10,
      meanBatch: { ingress: 4 },
    });
  });

  test('is one row of the table, and a ratio beside an earlier one', () => {
    const rows = [aResult()];
    expect(tableOf(rows)).toHaveLength(2);
    expect(tableOf(rows)[1]).toMatch(/^uniform .*clean$/);
    expect(tableOf(rows)[1]).toMatch(/ 10\.00 +relay 120 /);
    expect(tableOf([{ ...rows[0], idleCores: 0.2874 }])[1]).toMatch(/relay 120 +0\.287 /);
    expect(comparisonOf(rows, { scenarios: [aResult(100)] })).toEqual([
      'uniform: committed/s x2.00, cpu x0.50, committed p50 x1.00',
    ]);
    const withLoop = (before, after) => ({ ...rows[0], referenceLoopMs: { before, after } });
    expect(tableOf([withLoop(310, 480)])[1]).toMatch(/ 310 \/ 480 +clean$/);
    expect(comparisonOf([withLoop(310, 480)], { scenarios: [withLoop(300, 330)] })).toEqual([
      'uniform: committed/s x1.00, cpu x1.00, committed p50 x1.00, reference loop x1.25',
    ]);
    const others = { scenarios: [{ ...aResult(), name: 'zipf' }] };
    expect(comparisonOf(rows, others)).toEqual([]);
  });

  test('names what else was another, but for the commit', () => {
    const settings = { engine: 'mariadb', shards: 2, environment: {} };
    const result = { machine: { cores: 2, commit: 'b' }, settings };
    expect(otherCircumstancesOf(result, { ...result, machine: { cores: 2, commit: 'a' } })).toEqual(
      [],
    );
    const environment = { SURETY_CHECK_INTERVAL: '1h' };
    expect(otherCircumstancesOf(result, { settings: { ...settings, environment } })).toEqual([
      'machine.cores differs: not known then, 2 now',
      'settings.environment differs: {"SURETY_CHECK_INTERVAL":"1h"} then, {} now',
    ]);
  });
});

test('the reference loop takes longer for more rounds', () => {
  referenceLoopMs(1_000_000);
  expect(referenceLoopMs(0)).toBeLessThan(referenceLoopMs(200_000_000));
});

describe('the memory of a scenario', () => {
  const readings = (count) =>
    Array.from({ length: count }, (_, at) => ({
      atMs: at * 5_000,
      // A saw of the collector's over a rise of 1.2 MB a minute, and a level.
      rssMb: { workers: 150 + at / 10 + (at % 2) * 4, relay: at === 3 ? 140 : 120 },
    }));

  test('is its peak and, where there are readings of two minutes, its trend', () => {
    const { rssPeakMbByProcess, rssTrendMbPerMinute } = memoryOf(readings(120));
    expect(rssPeakMbByProcess).toEqual({ workers: 165.9, relay: 140 });
    expect(rssTrendMbPerMinute.workers).toBeCloseTo(1.2, 1);
    expect(Math.abs(rssTrendMbPerMinute.relay)).toBeLessThan(0.1);
    expect(memoryOf(readings(23))).not.toHaveProperty('rssTrendMbPerMinute');
  });

  test('is a line of what is printed where there is a trend', () => {
    const rows = [{ name: 'uniform' }, { name: 'long', rssTrendMbPerMinute: { relay: -0.2 } }];
    expect(memoryLinesOf(rows)).toEqual(['  long: relay -0.2']);
  });
});

describe('what the reconciler has proved', () => {
  const page = [
    'surety_verified_point_timestamp_seconds{process="reconciler"} 1700000060.5',
    'surety_sealed_until_seconds{shard="0",process="reconciler"} 1700000050',
    'surety_sealed_until_seconds{shard="1",process="reconciler"} 1700000040.25',
    'surety_sealed_entries_total{shard="1",process="reconciler"} 7',
  ];

  test('is as old as the oldest of its checks and seals', () => {
    expect(provenUntilOf(page.join('\n'), 2)).toBe(1_700_000_040_250);
  });

  test('is nothing as long as one shard says nothing', () => {
    expect(provenUntilOf(page.slice(0, 2).join('\n'), 2)).toBe(0);
    expect(provenUntilOf(page.slice(1).join('\n'), 2)).toBe(0);
  });
});

describe('a flame graph', () => {
  const node = (id, functionName, url, children = []) => ({
    ...{ id, children },
    callFrame: { functionName, url },
  });
  const profile = {
    nodes: [
      node(1, '(root)', '', [2, 3, 5]),
      node(2, 'take', 'file:///somewhere/packages/saga/dist/request.js', [4]),
      node(3, '(idle)', ''),
      node(4, 'parse<T>', 'file:///somewhere/node_modules/zod/v4/parse.js'),
      node(5, 'take', 'file:///somewhere/packages/saga/dist/request.js'),
    ],
    samples: [2, 4, 3, 5],
    timeDeltas: [100, 300, 5_000, 100],
  };

  test('merges equal stacks, leaves idle time out and knows rooms, not paths', () => {
    const root = framesOf(profile);
    expect(root.micros).toBe(500);
    const [take] = root.children.values();
    expect([take.name, take.micros]).toEqual(['take packages/saga/request.js', 500]);
    expect([...take.children.keys()]).toEqual(['parse<T> zod']);
  });

  test('is drawn with its shares and without markup from names', () => {
    const svg = svgOf(framesOf(profile), 'ingress');
    expect(svg).toContain('parse&lt;T&gt; zod: 60.0 %');
    expect(svg).not.toContain('somewhere');
  });
});

describe('the settings of a result', () => {
  test('name what the environment puts off, and nothing that may be secret', () => {
    const environment = {
      SURETY_CHECK_INTERVAL: '1h',
      SURETY_SEAL_INTERVAL: '1h',
      SURETY_SHARDS: 'mysql://user:secret@host/schema',
      SURETY_REDIS_URL: 'redis://:secret@host',
      PATH: '/bin',
    };
    expect(tuningOf(environment)).toEqual({
      SURETY_CHECK_INTERVAL: '1h',
      SURETY_SEAL_INTERVAL: '1h',
    });
  });
});
