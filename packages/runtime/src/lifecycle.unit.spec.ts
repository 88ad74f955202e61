import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from './configuration-error.js';
import { Releasers, type RunningProcess } from './lifecycle.js';
import {
  EXIT_CONFIGURATION,
  EXIT_CRASH,
  EXIT_FORCED,
  superviseProcess,
  type StartProcess,
} from './main-process.js';
import { silentLog } from './spec-support.js';

const log = silentLog();

describe('releasers', () => {
  test('release last in, first out, and once', async () => {
    const released: string[] = [];
    const releasers = new Releasers();
    for (const name of ['pool', 'consumer', 'server']) {
      releasers.push(name, () => {
        released.push(name);
      });
    }
    expect(await releasers.releaseAll(1000, log)).toBe(true);
    expect(await releasers.releaseAll(1000, log)).toBe(true);
    expect(released).toEqual(['server', 'consumer', 'pool']);
  });

  test('go on after one that fails and one that hangs', async () => {
    const released: string[] = [];
    const releasers = new Releasers();
    releasers.push('last', () => {
      released.push('last');
    });
    releasers.push('failing', () => Promise.reject(new Error('broken')));
    releasers.push('throwing', () => {
      throw new Error('broken');
    });
    releasers.push('hanging', () => new Promise<void>(() => undefined));
    expect(await releasers.releaseAll(30, log)).toBe(false);
    expect(released).toEqual(['last']);
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (e: Error) => void } {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** A machine without signals and exits of its own. */
function supervise(start: StartProcess) {
  const codes: number[] = [];
  const printed: string[] = [];
  let signal: (name: string) => void = () => undefined;
  let uncaught: (error: unknown) => void = () => undefined;
  const ended = superviseProcess('spec', start, {
    environment: {},
    log,
    onSignal: (listener) => {
      signal = listener;
    },
    onUncaught: (listener) => {
      uncaught = listener;
    },
    exit: (code) => codes.push(code),
    printError: (line) => printed.push(line),
  });
  return {
    codes,
    printed,
    ended,
    signal: (name: string) => {
      signal(name);
    },
    uncaught: (error: unknown) => {
      uncaught(error);
    },
  };
}

function stoppable(stop: () => Promise<void>): RunningProcess & { readonly stops: () => number } {
  const done = deferred();
  let stops = 0;
  return {
    done: done.promise,
    stops: () => stops,
    stop: async () => {
      stops += 1;
      await stop();
      done.resolve();
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a supervised process', () => {
  test('stops in good order at the first signal', async () => {
    const running = stoppable(() => Promise.resolve());
    const host = supervise(() => Promise.resolve(running));
    await turn();
    host.signal('SIGTERM');
    await host.ended;
    expect(running.stops()).toBe(1);
    expect(host.codes).toEqual([0]);
  });

  test('ends at once at the second signal', async () => {
    const running = stoppable(() => new Promise(() => undefined));
    const host = supervise(() => Promise.resolve(running));
    await turn();
    host.signal('SIGINT');
    host.signal('SIGINT');
    await host.ended;
    expect(running.stops()).toBe(1);
    expect(host.codes).toEqual([EXIT_FORCED]);
  });

  test('that is signalled while it starts stops as soon as it has started', async () => {
    const running = stoppable(() => Promise.resolve());
    const starting = deferred();
    const host = supervise(() => starting.promise.then(() => running));
    host.signal('SIGTERM');
    await turn();
    expect(host.codes).toEqual([]);
    starting.resolve();
    await host.ended;
    expect(running.stops()).toBe(1);
    expect(host.codes).toEqual([0]);
  });

  test('that ends by itself exits with 0', async () => {
    const host = supervise(() => Promise.resolve({ ...stoppable(turn), done: Promise.resolve() }));
    await host.ended;
    expect(host.codes).toEqual([0]);
  });

  test('that cannot go on, start or stop has crashed', async () => {
    const done = Promise.reject(new Error('lost its invariant'));
    const dying = supervise(() => Promise.resolve({ ...stoppable(turn), done }));
    await dying.ended;
    expect(dying.codes).toEqual([EXIT_CRASH]);

    const unborn = supervise(() => Promise.reject(new Error('no port')));
    await unborn.ended;
    expect(unborn.codes).toEqual([EXIT_CRASH]);

    const stuck = stoppable(() => Promise.reject(new Error('could not flush')));
    const stopping = supervise(() => Promise.resolve(stuck));
    await turn();
    stopping.signal('SIGTERM');
    await stopping.ended;
    expect(stopping.codes).toEqual([EXIT_CRASH]);
  });

  test('crashes on a rejection that nobody handles, once', async () => {
    const host = supervise(() => Promise.resolve(stoppable(turn)));
    await turn();
    host.uncaught(new Error('nobody cared'));
    host.uncaught(new Error('again'));
    await host.ended;
    expect(host.codes).toEqual([EXIT_CRASH]);
  });

  test('prints the mistakes of its environment as a list', async () => {
    const host = supervise(() => Promise.reject(new ConfigurationError(['A: x', 'B: y'])));
    await host.ended;
    expect(host.codes).toEqual([EXIT_CONFIGURATION]);
    expect(host.printed).toEqual([
      'spec cannot start, its environment is wrong:',
      '  - A: x',
      '  - B: y',
    ]);
  });
});
