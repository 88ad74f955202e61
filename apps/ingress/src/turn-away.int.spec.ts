import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createMetrics, healthRouter } from '@surety/runtime';
import type { Logger } from '@surety/runtime';
import { createApp } from './app.js';
import { TURNED_AWAY } from './problem.js';
import { readBody } from './read-json.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** An application that turns everything away, with or without its handler. */
function appOf(
  isQuick: boolean,
  handled: () => void,
): {
  app: RequestListener;
  warnings: string[];
  count: () => Promise<string>;
} {
  const warnings: string[] = [];
  const log = {
    isDebugEnabled: () => false,
    warn: (message: string) => warnings.push(message),
  } as unknown as Logger;
  const metrics = createMetrics('ingress');
  const handler = Object.assign(
    async ({ request }: { request: Parameters<typeof readBody>[0] }) => {
      handled();
      await readBody(request);
      throw TURNED_AWAY;
    },
    { turnsAway: () => isQuick },
  );
  const isStopping = (): boolean => false;
  const app = createApp({
    routes: [{ path: '/full', methods: { POST: handler } }],
    health: healthRouter({ checks: {}, metrics, isStopping }),
    ...{ log, metrics, isStopping },
  });
  return {
    app,
    warnings,
    count: () => metrics.registry.getSingleMetricAsString('surety_errors_total'),
  };
}

async function connectionTo(
  app: RequestListener,
): Promise<{ socket: Socket; until: (count: number) => Promise<string> }> {
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  closers.push(() => {
    socket.destroy();
    server.close();
  });
  let received = '';
  const until = async (count: number): Promise<string> => {
    while (received.split('Nothing was written; repeat with the same key."}').length <= count) {
      await new Promise((resolve) => socket.once('data', resolve));
    }
    return received;
  };
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  return { socket, until };
}

const HEAD =
  'POST /full HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n';
const DATE = /^date: .*$/gim;

describe('a request that is turned away without its handler', () => {
  it('is answered as by its handler, byte for byte, one after the other on one connection', async () => {
    const answers: string[] = [];
    for (const isQuick of [true, false]) {
      let handledCount = 0;
      const { app, warnings, count } = appOf(isQuick, () => (handledCount += 1));
      const { socket, until } = await connectionTo(app);
      // Two at once, then one whose body comes late.
      socket.write(`${HEAD}{}${HEAD}{}`);
      await until(2);
      expect(handledCount).toBe(isQuick ? 0 : 2);
      socket.write(`${HEAD}{`);
      while (handledCount < (isQuick ? 1 : 3)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.write('}');
      answers.push((await until(3)).replace(DATE, ''));
      expect(warnings).toHaveLength(1);
      expect(await count()).toContain('kind="overloaded",shard="",process="ingress"} 3');
    }
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
    expect(answers[0]?.match(/retry-after: 1\r\n/g)).toHaveLength(3);
    expect(answers[0]?.match(/content-type: application\/problem\+json\r\n/g)).toHaveLength(3);
  });

  it('is nobody any more where the client goes away before its answer', async () => {
    let handledCount = 0;
    const { app, warnings, count } = appOf(true, () => (handledCount += 1));
    const isGone = new Promise<void>((resolve) => {
      void connectionTo((request, response) => {
        app(request, response);
        request.socket.destroy();
        setImmediate(() => setImmediate(resolve));
      }).then(({ socket }) => socket.write(`${HEAD}{}`));
    });
    await isGone;
    expect([handledCount, warnings]).toEqual([0, []]);
    expect(await count()).not.toContain('overloaded');
  });
});
