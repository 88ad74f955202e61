import type { ConsumerOptions, MessageConsumer } from './ports.js';
export function startConsumer(options: ConsumerOptions): Promise<MessageConsumer> {
  return Promise.reject(new Error(options.clientId));
}
