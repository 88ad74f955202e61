import type { HealthCheck } from '../health.js';
export function createTopics(options: {
  readonly brokers: readonly string[];
  readonly topics: readonly string[];
  readonly partitions: number;
}): Promise<void> {
  return Promise.reject(new Error(options.topics.join()));
}
export function kafkaHealthCheck(options: { readonly brokers: readonly string[] }): HealthCheck {
  return () => Promise.reject(new Error(options.brokers.join()));
}
