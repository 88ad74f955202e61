import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { eventually } from '@surety/testing';
import { TcpProxy } from './tcp-proxy.js';

const PATIENCE = { withinMs: 20_000, everyMs: 5 };

/** Says back what it hears, and knows who is connected. */
class EchoServer {
  readonly sockets = new Set<Socket>();
  readonly #server: Server;
  heard = '';

  private constructor() {
    this.#server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('data', (piece: Buffer) => {
        this.heard = (this.heard + piece.toString('latin1')).slice(-1_000_000);
        socket.write(piece);
      });
    });
  }

  static async start(): Promise<EchoServer> {
    const echo = new EchoServer();
    await new Promise<void>((resolve) => echo.#server.listen(0, '127.0.0.1', () => resolve()));
    return echo;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** A client that remembers what it heard and how its connection ended. */
class Caller {
  readonly socket: Socket;
  heard = '';
  end: 'open' | 'ended' | 'reset' = 'open';

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (piece: Buffer) => (this.heard += piece.toString('latin1')));
    this.socket.on('error', () => (this.end = 'reset'));
    this.socket.on('close', () => {
      if (this.end === 'open') this.end = 'ended';
    });
  }

  say(text: string): void {
    this.socket.write(text);
  }

  hears(text: string): Promise<unknown> {
    return eventually(`hearing ${text.slice(0, 20)}`, () => this.heard === text || undefined, {
      ...PATIENCE,
    });
  }

  ends(how: 'ended' | 'reset'): Promise<unknown> {
    return eventually(`an end by ${how}`, () => this.end === how || undefined, PATIENCE);
  }
}

describe('a TCP proxy', () => {
  let echo: EchoServer;
  let proxy: TcpProxy;
  const callers: Caller[] = [];

  beforeEach(async () => {
    echo = await EchoServer.start();
    proxy = await TcpProxy.listen({ target: { host: '127.0.0.1', port: echo.port } });
  });

  afterEach(async () => {
    for (const { socket } of callers.splice(0)) socket.destroy();
    await proxy.close();
    expect(proxy.openConnections).toBe(0);
    await echo.stop();
  });

  function call(): Caller {
    const caller = new Caller(proxy.port);
    callers.push(caller);
    return caller;
  }

  /** A connection that has carried something both ways. */
  async function established(): Promise<Caller> {
    const caller = call();
    caller.say('hello');
    await caller.hears('hello');
    return caller;
  }

  it('passes bytes both ways, in order, and counts them', async () => {
    const caller = call();
    const text = Array.from({ length: 20_000 }, (_, n) => `${n},`).join('');
    caller.say(text);
    await caller.hears(text);
    expect(proxy.counters).toMatchObject({
      accepted: 1,
      bytesToServer: text.length,
      bytesToClient: text.length,
      bytesSwallowed: 0,
    });
  });

  it('passes the end of either side on', async () => {
    const [first, second] = [await established(), await established()];
    first.socket.end();
    await first.ends('ended');
    await eventually('one left', () => echo.sockets.size === 1 || undefined, PATIENCE);
    for (const socket of echo.sockets) socket.end();
    await second.ends('ended');
    await eventually('none left', () => proxy.openConnections === 0 || undefined, PATIENCE);
  });

  it('resets a client whose server does not listen', async () => {
    await echo.stop();
    await call().ends('reset');
    echo = await EchoServer.start();
  });

  it('cuts every connection at once and passes new ones', async () => {
    const both = [await established(), await established()];
    proxy.mode({ kind: 'cut' });
    await Promise.all(both.map((caller) => caller.ends('reset')));
    await eventually('the server is told', () => echo.sockets.size === 0 || undefined, PATIENCE);
    await established();
    expect(proxy.counters.cut).toBe(2);
  });

  it('refuses new connections and leaves those that are there', async () => {
    const old = await established();
    proxy.mode({ kind: 'refuse' });
    await call().ends('reset');
    old.say(' again');
    await old.hears('hello again');
    proxy.mode({ kind: 'pass' });
    await established();
    expect(proxy.counters).toMatchObject({ accepted: 2, refused: 1 });
  });

  it('slows every piece down by at least its latency, in order', async () => {
    const caller = await established();
    proxy.mode({ kind: 'slow', latencyMs: 100, jitterMs: 20 });
    const startedAt = performance.now();
    caller.say('1');
    await caller.hears('hello1');
    // A timer may be a moment early; there and back is twice the latency.
    expect(performance.now() - startedAt).toBeGreaterThan(190);
    const text = Array.from({ length: 3_000 }, (_, n) => `${n},`).join('');
    caller.say(text);
    proxy.mode({ kind: 'pass' });
    caller.say('end');
    await caller.hears(`hello1${text}end`);
  });

  it('throttles to a rate and keeps only what is under way', async () => {
    const caller = await established();
    proxy.mode({ kind: 'slow', latencyMs: 0, bytesPerSecond: 200_000 });
    const text = 'x'.repeat(100_000);
    const startedAt = performance.now();
    caller.say(text);
    await caller.hears(`hello${text}`);
    expect(performance.now() - startedAt).toBeGreaterThan(490);
  });

  it.each([
    ['toServer', 'hello', false],
    ['toClient', 'hello', true],
    ['both', 'hello', false],
  ] as const)('swallows bytes %s while the sockets stay', async (direction, heard, arrives) => {
    const caller = await established();
    proxy.mode({ kind: 'halfOpen', direction });
    caller.say('lost');
    await eventually('lost', () => proxy.counters.bytesSwallowed === 4 || undefined, PATIENCE);
    expect(caller.heard).toBe(heard);
    expect(echo.heard).toBe(arrives ? 'hellolost' : 'hello');
    expect([caller.end, echo.sockets.size]).toEqual(['open', 1]);
  });

  it('hides the end of one side from the other while half open, and tells it afterwards', async () => {
    const caller = await established();
    proxy.mode({ kind: 'halfOpen', direction: 'both' });
    caller.socket.destroy();
    const other = call();
    other.say('lost');
    await eventually('lost', () => proxy.counters.bytesSwallowed === 4 || undefined, PATIENCE);
    expect(echo.sockets.size).toBe(2);
    proxy.mode({ kind: 'pass' });
    await eventually('the server is told', () => echo.sockets.size === 1 || undefined, PATIENCE);
  });

  it('keeps a connection with a hole in it deaf, and passes on one that lost nothing', async () => {
    const [holed, whole] = [await established(), await established()];
    proxy.mode({ kind: 'halfOpen', direction: 'both' });
    holed.say('lost');
    await eventually('lost', () => proxy.counters.bytesSwallowed === 4 || undefined, PATIENCE);
    proxy.mode({ kind: 'pass' });
    holed.say('more');
    whole.say('more');
    await whole.hears('hellomore');
    await eventually('deaf', () => proxy.counters.bytesSwallowed === 8 || undefined, PATIENCE);
    expect([holed.heard, holed.end]).toEqual(['hello', 'open']);
    for (const socket of echo.sockets) socket.end();
    await holed.ends('ended');
  });

  it('stops reading from a client whose server does not read', async () => {
    const caller = await established();
    for (const socket of echo.sockets) socket.pause();
    const flood = Buffer.alloc(64 * 1024 * 1024, 'x');
    caller.socket.write(flood);
    let before = -1;
    await eventually(
      'a standstill',
      () => {
        const now = proxy.counters.bytesToServer;
        const stands = now === before;
        before = now;
        return stands || undefined;
      },
      { withinMs: 20_000, everyMs: 300 },
    );
    expect(proxy.counters.bytesToServer).toBeLessThan(flood.length / 2);
    for (const socket of echo.sockets) socket.resume();
    await eventually(
      'all of it',
      () => proxy.counters.bytesToServer === flood.length + 5 || undefined,
      PATIENCE,
    );
  });
});
