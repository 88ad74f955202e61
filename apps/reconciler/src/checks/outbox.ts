import { decodeMessage, encodeEnvelope } from '@surety/contracts';
import { readEvents, readOutbox } from '@surety/db';
import type { Session, StoredOutboxRow } from '@surety/db';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';
import type { Finding } from './types.js';

/** Messages in memory at a time, per shard: each is at most 256 KB. */
const MESSAGES_PER_PAGE = 50;

/** What is published must be what happened: a message carries stored events, byte for byte. */
export const outbox: Check = {
  name: 'outbox',
  promise: 'Every message that is still to be published carries stored events and nothing else.',
  inspect: async (scope, findings) => {
    await onEveryShard(scope, async (snapshot) => {
      let after = 0n;
      for (;;) {
        const page = await readOutbox(snapshot, after, MESSAGES_PER_PAGE);
        findings.rowsChecked += page.length;
        findings.add(...(await strangeMessages(snapshot, page)));
        if (page.length < MESSAGES_PER_PAGE || findings.isFull) return;
        after = (page.at(-1) as StoredOutboxRow).seq;
      }
    });
  },
};

async function strangeMessages(
  snapshot: Session,
  page: readonly StoredOutboxRow[],
): Promise<Finding[]> {
  const messages = page.map((row) => ({ row, decoded: decodeMessage(row.payload) }));
  const refs = messages.flatMap(({ decoded }) => (decoded.kind === 'events' ? decoded.events : []));
  const stored = new Set((await readEvents(snapshot, refs)).map(({ envelope }) => envelope));
  return messages.flatMap(({ row, decoded }) => {
    // A newer writer knows what it meant; its own checks will say whether it is so.
    if (decoded.kind === 'unknown_schema') return [];
    if (decoded.kind === 'malformed') {
      return [finding(snapshot, row, 'cannot be read', decoded.error)];
    }
    const stranger = decoded.events.find((event) => !stored.has(encodeEnvelope(event)));
    if (!stranger) return [];
    return [finding(snapshot, row, 'carries an event that is not stored so', stranger.id)];
  });
}

function finding(
  snapshot: Session,
  { seq, topic }: StoredOutboxRow,
  problem: string,
  what: string,
): Finding {
  return { shard: snapshot.id, key: `message ${topic} ${seq}`, problem, detail: { what } };
}
