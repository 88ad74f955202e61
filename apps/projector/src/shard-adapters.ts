import { clearProjections, insertDeadLetter, readEventsPage, upsertProjections } from '@surety/db';
import type { EventPosition, Session, WritingSession } from '@surety/db';
import type { BuriedMessage } from './message-handler.js';
import type { RebuildStore } from './rebuild.js';
import type { ProjectionStore } from './shard-projection.js';

export function projectionStore(session: WritingSession): ProjectionStore {
  return {
    shard: session.id,
    upsert: (rows) => upsertProjections(session, rows),
  };
}

export function rebuildStore(session: WritingSession): RebuildStore<EventPosition> {
  return {
    ...projectionStore(session),
    clear: () => clearProjections(session),
    readEvents: async (after, limit) => {
      const rows = await readEventsPage(session, after, limit);
      const next = rows.length === limit ? rows.at(-1) : undefined;
      const events = rows.map(({ transferId, step, envelope: encoded }) => {
        return { id: `${transferId}/${step}`, encoded };
      });
      return { events, next };
    },
  };
}

export async function buryMessage(session: Session, message: BuriedMessage): Promise<void> {
  const { topic, partition, slot, payload, error } = message;
  const letter = { consumer: 'projector', topic, partition, offset: BigInt(message.offset) };
  await insertDeadLetter(session, { ...letter, slot, eventId: null, payload, error });
}
