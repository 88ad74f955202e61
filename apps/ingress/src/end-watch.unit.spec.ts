import { describe, expect, test } from '@jest/globals';
import type { Doorbell } from '@surety/runtime';
import { EndWatch } from './end-watch.js';

const NEVER_MS = 2 ** 30;

async function aWatch(): Promise<{ watch: EndWatch; ring: (payload: string) => void }> {
  const listeners: ((payload: string) => void)[] = [];
  const doorbell: Doorbell = {
    ring: () => undefined,
    subscribe: (_channel, listener) => {
      listeners.push(listener);
      return Promise.resolve(() => undefined);
    },
    close: () => Promise.resolve(),
  };
  const watch = new EndWatch();
  await watch.listen(doorbell);
  return {
    watch,
    ring: (payload) =>
      listeners.forEach((listener) => {
        listener(payload);
      }),
  };
}

describe('the watch for ends', () => {
  test('wakes everybody who waits for a transfer that is named, and nobody else', async () => {
    const { watch, ring } = await aWatch();
    const [first, second, other] = [watch.open('a'), watch.open('a'), watch.open('b')];
    let isOtherAwake = false;
    void other?.next(NEVER_MS).then(() => {
      isOtherAwake = true;
    });
    const both = Promise.all([first?.next(NEVER_MS), second?.next(NEVER_MS)]);
    ring('x,a,y');
    await both;
    expect(isOtherAwake).toBe(false);
    watch.stop();
  });

  test('does not lose a ring that comes while the rows are read', async () => {
    const { watch, ring } = await aWatch();
    const open = watch.open('a');
    ring('a');
    await open?.next(NEVER_MS);
  });

  test('comes back when the time is over', async () => {
    const { watch } = await aWatch();
    await watch.open('a')?.next(1);
  });

  test('wakes everybody when the process stops, and opens no more', async () => {
    const { watch } = await aWatch();
    const waiting = watch.open('a')?.next(NEVER_MS);
    watch.stop();
    await waiting;
    expect(watch.open('a')).toBeUndefined();
  });

  test('is bounded, and closing makes room', async () => {
    const { watch } = await aWatch();
    const open = Array.from({ length: 2000 }, () => watch.open('a'));
    expect(watch.open('b')).toBeUndefined();
    open[0]?.close();
    open[0]?.close();
    expect(watch.open('b')).toBeDefined();
    expect(watch.open('b')).toBeUndefined();
  });
});
