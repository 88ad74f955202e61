import { Loop } from '../loop.js';
import type { Metrics } from '../metrics.js';
import type { MessageConsumer } from './ports.js';

const SAMPLE_EVERY_MS = 5_000;

/** Samples how many messages wait in each partition that this process owns. */
export function lagGauge(consumer: Pick<MessageConsumer, 'lag'>, metrics: Metrics): Loop {
  const gauge = metrics.consumerLag;
  return new Loop({
    intervalMs: SAMPLE_EVERY_MS,
    run: async () => {
      const lag = await consumer.lag();
      gauge.reset();
      for (const [key, messages] of lag) {
        const [topic = '', partition = ''] = key.split('/');
        gauge.set({ topic, partition }, messages);
      }
    },
    // A broker that is away shows in readiness; an old figure would only mislead.
    failed: () => {
      gauge.reset();
    },
  });
}
