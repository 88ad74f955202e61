import type { KafkaOptions, MessagePublisher } from './ports.js';
export function createPublisher(options: KafkaOptions): Promise<MessagePublisher> {
  return Promise.reject(new Error(options.clientId));
}
