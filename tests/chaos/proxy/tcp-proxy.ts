import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { zeroCounters } from './modes.js';
import type { ProxyCounters, ProxyMode } from './modes.js';
import { ProxiedConnection } from './proxied-connection.js';
import type { Judge } from './proxied-connection.js';

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

export interface ProxyOptions {
  /** The server behind the proxy. It need not be up: a connection to a dead one is reset. */
  readonly target: ProxyTarget;
  /** Where to listen on loopback; any free port where it is left out. */
  readonly port?: number;
  /** Draws from 0 up to, and without, 1: jitter and shares. */
  readonly random?: () => number;
}

/** Stands in front of one server on loopback and treats its connections as the mode says. */
export class TcpProxy {
  readonly counters: ProxyCounters = zeroCounters();
  protected readonly random: () => number;
  readonly #target: ProxyTarget;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #server: Server;
  #mode: ProxyMode = { kind: 'pass' };
  #whenIdle: (() => void) | undefined;

  protected constructor({ target, random = Math.random }: ProxyOptions) {
    this.#target = target;
    this.random = random;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async listen(options: ProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    await proxy.listenOn(options.port);
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that at least one side still has. */
  get openConnections(): number {
    return this.#connections.size;
  }

  get currentMode(): ProxyMode {
    return this.#mode;
  }

  /** Enters a mode; `cut` resets every connection and is followed by `pass` at once. */
  mode(mode: ProxyMode): void {
    this.#mode = mode.kind === 'cut' ? { kind: 'pass' } : mode;
    for (const connection of this.#connections) {
      if (mode.kind === 'cut') {
        this.counters.cut += 1;
        connection.destroy();
      } else connection.modeChanged();
    }
  }

  /** Resets every connection and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#mode = { kind: 'refuse' };
    const idle = new Promise<void>((resolve) => (this.#whenIdle = resolve));
    for (const connection of this.#connections) connection.destroy();
    if (this.#connections.size > 0) await idle;
    await closed;
  }

  protected listenOn(port = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** What reads along on a new connection; the plain proxy does not. */
  protected judge(): Judge | undefined {
    return undefined;
  }

  #accept(client: Socket): void {
    if (this.#mode.kind === 'refuse') {
      this.counters.refused += 1;
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    this.counters.accepted += 1;
    const connection = new ProxiedConnection({
      client,
      server: connect(this.#target.port, this.#target.host),
      mode: () => this.#mode,
      counters: this.counters,
      random: this.random,
      judge: this.judge(),
      closed: () => this.#forget(connection),
    });
    this.#connections.add(connection);
  }

  #forget(connection: ProxiedConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#whenIdle?.();
  }
}
