import type { ServerAddress } from '@surety/testing/system';
import type { ProxyMode } from '../proxy/modes.js';
import { MySqlFaultProxy } from '../proxy/mysql-fault-proxy.js';
import type { StatementFault } from '../proxy/mysql-fault-proxy.js';
import { TcpProxy } from '../proxy/tcp-proxy.js';
import { Chance } from '../../e2e/chance.js';

const RANDOM_STEPS = 2 ** 20;

/** One proxy in front of each server; our processes know no other way. */
export class Wires {
  readonly #proxies = new Map<string, TcpProxy>();
  readonly #chance: Chance;

  constructor(seed: number) {
    this.#chance = new Chance(seed);
  }

  /** Opens the proxy of a server and returns its port. */
  readonly front = async ({ name, host, port }: ServerAddress): Promise<number> => {
    const random = (): number => this.#chance.below(RANDOM_STEPS) / RANDOM_STEPS;
    const options = { target: { host, port }, random };
    const proxy = name.startsWith('shard')
      ? await MySqlFaultProxy.listen(options)
      : await TcpProxy.listen(options);
    this.#proxies.set(name, proxy);
    return proxy.port;
  };

  mode(server: string, mode: ProxyMode): void {
    this.#proxy(server).mode(mode);
  }

  failStatements(shard: string, fault?: StatementFault): void {
    const proxy = this.#proxy(shard);
    if (!(proxy instanceof MySqlFaultProxy)) throw new Error(`${shard} takes no statements`);
    proxy.failStatements(fault);
  }

  /** Connections cut, bytes swallowed and statements failed so far, over all servers. */
  counts(): { refused: number; cut: number; bytesSwallowed: number; statementsFailed: number } {
    const total = { refused: 0, cut: 0, bytesSwallowed: 0, statementsFailed: 0 };
    for (const { counters } of this.#proxies.values()) {
      total.refused += counters.refused;
      total.cut += counters.cut;
      total.bytesSwallowed += counters.bytesSwallowed;
      total.statementsFailed += counters.statementsFailed;
    }
    return total;
  }

  /** Everything passes again. */
  heal(): void {
    for (const proxy of this.#proxies.values()) {
      proxy.mode({ kind: 'pass' });
      if (proxy instanceof MySqlFaultProxy) proxy.failStatements();
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#proxies.values()].map((proxy) => proxy.close()));
  }

  #proxy(server: string): TcpProxy {
    const proxy = this.#proxies.get(server);
    if (!proxy) throw new Error(`no proxy in front of ${server}`);
    return proxy;
  }
}
