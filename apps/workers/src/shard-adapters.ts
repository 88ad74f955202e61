import { insertDeadLetter } from '@surety/db';
import type { Session } from '@surety/db';
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
