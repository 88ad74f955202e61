import { insertDeadLetter } from '@surety/db';
import type { DatabaseMetrics, Session } from '@surety/db';
import type { Metrics } from '@surety/runtime';
import type { DeadLetters } from './dead-letters.js';

const CONSUMER = 'workers';

export function shardDeadLetters(session: Session): DeadLetters {
  return {
    insert: async ({ origin, slot, eventId, payload, error }) => {
      const { topic, partition } = origin;
      const letter = { consumer: CONSUMER, topic, partition, offset: BigInt(origin.offset) };
      await insertDeadLetter(session, { ...letter, slot, eventId, payload, error });
    },
  };
}

export function databaseMetrics(metrics: Metrics): DatabaseMetrics {
  return {
    statement: () => {
      metrics.sqlStatementsTotal.inc();
    },
    commit: () => {
      metrics.sqlCommitsTotal.inc();
    },
    retry: (code) => {
      metrics.errorsTotal.inc({ kind: `retry_${code}`, shard: '' });
    },
  };
}
