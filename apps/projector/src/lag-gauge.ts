import { sleep } from '@surety/runtime';
import type { MessageConsumer, Metrics } from '@surety/runtime';

const SAMPLE_EVERY_MS = 5_000;

/** Samples how many messages wait in each partition that this process owns. */
export class LagGauge {
  readonly #consumer: Pick<MessageConsumer, 'lag'>;
  readonly #gauge: Metrics['consumerLag'];
  readonly #stopping = new AbortController();
  #done: Promise<void> | undefined;

  constructor(consumer: Pick<MessageConsumer, 'lag'>, metrics: Metrics) {
    this.#consumer = consumer;
    this.#gauge = metrics.consumerLag;
  }

  start(): void {
    this.#done ??= this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // A broker that is away shows in readiness; an old figure would only mislead.
      const lag = await this.#consumer.lag().catch(() => new Map<string, number>());
      this.#gauge.reset();
      for (const [key, messages] of lag) {
        const [topic = '', partition = ''] = key.split('/');
        this.#gauge.set({ topic, partition }, messages);
      }
      await sleep(SAMPLE_EVERY_MS, signal);
    }
  }
}
