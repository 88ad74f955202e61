import { TOPICS } from '@surety/contracts';
import type { Topic } from '@surety/contracts';
import {
  acquireLease,
  advanceOutbox,
  deleteOutbox,
  outboxDepth,
  releaseLease,
  renewLease,
} from '@surety/db';
import type { NumberedOutboxRow, Session } from '@surety/db';
import type { Lease } from '@surety/runtime';
import type { Outbox, OutboxMessage } from './outbox-port.js';

const LEASE_NAME = 'relay';

/** @param topicName what a topic is called on the broker */
export function shardOutbox(
  session: Session,
  topicName: (topic: Topic) => string = (topic) => TOPICS[topic],
): Outbox {
  const toMessage = ({ seq, topic, partition, payload }: NumberedOutboxRow): OutboxMessage => ({
    seq,
    topic: topicName(topic),
    partition,
    payload,
  });
  return {
    advance: async ({ acknowledged, afterSeq, rowsMax, gaps }) => {
      const advance = { acknowledged, afterSeq, limit: rowsMax, gaps };
      const { rows, found } = await advanceOutbox(session, advance);
      return { rows: rows.map(toMessage), found: found.map(toMessage) };
    },
    delete: async (seqs) => {
      await deleteOutbox(session, seqs);
    },
    depth: () => outboxDepth(session),
  };
}

export function shardLeaseRow(session: Session, holder: string, ttlMs: number): Lease {
  const name = LEASE_NAME;
  return {
    acquire: async () => (await acquireLease(session, { name, holder, ttlMs }))?.token,
    renew: (token) => renewLease(session, { name, holder, ttlMs, token }),
    release: (token) => releaseLease(session, { name, holder, token }),
  };
}
