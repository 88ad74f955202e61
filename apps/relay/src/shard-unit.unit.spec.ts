import { expect, test } from '@jest/globals';
import { REAL_CLOCK, createLogger, createMetrics } from '@surety/runtime';
import type { Clock, ListeningDoorbell } from '@surety/runtime';
import type { Outbox } from './outbox-port.js';
import { ShardUnit } from './shard-unit.js';

const log = createLogger({ process: 'relay', instance: 'spec', level: 'error' });
log.silent = true;

/** On it no wait ends by itself. */
const STANDING_STILL: Clock = { ...REAL_CLOCK, nowMs: () => 0, after: () => () => undefined };

class BellDouble implements ListeningDoorbell {
  isListening = true;
  readonly deafened = new Set<() => void>();
  ring = (): void => undefined;
  subscribe = async (): Promise<() => void> => () => undefined;
  close = async (): Promise<void> => undefined;

  onDeaf(called: () => void): () => void {
    this.deafened.add(called);
    return () => this.deafened.delete(called);
  }
}

/** All that waits for nothing but promises has run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('looks for rows as soon as the bell cannot be heard any more', async () => {
  let looks = 0;
  const outbox: Outbox = {
    advance: async () => {
      looks += 1;
      return { rows: [], found: [] };
    },
    delete: async () => undefined,
    depth: async () => ({ rows: 0, oldestAgeSeconds: 0 }),
  };
  const doorbell = new BellDouble();
  const unit = new ShardUnit({
    ...{ shard: 0, partitions: 8, outbox, doorbell, clock: STANDING_STILL, log },
    lease: { acquire: async () => 1n, renew: async () => true, release: async () => undefined },
    publisher: { publish: async () => undefined, close: async () => undefined },
    metrics: createMetrics('relay'),
  });
  await unit.start();
  await settled();
  const before = looks;
  expect(before).toBeGreaterThan(0);
  doorbell.isListening = false;
  for (const called of doorbell.deafened) called();
  await settled();
  expect(looks).toBe(before + 1);
  await unit.stop();
  expect(doorbell.deafened.size).toBe(0);
});
