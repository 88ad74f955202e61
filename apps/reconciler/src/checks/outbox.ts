import { decodeMessage, encodeEnvelope } from '@surety/contracts';
import type { Envelope } from '@surety/contracts';
import { STEP } from '@surety/domain';
import { readEvents, readOutbox } from '@surety/db';
import type { Session, StoredOutboxRow } from '@surety/db';
import { byShard } from './pages.js';
import { onEveryShard } from './scope.js';
import type { Check, CheckScope } from './scope.js';
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
        findings.add(...(await strangeMessages(scope, snapshot, page)));
        if (page.length < MESSAGES_PER_PAGE || findings.isFull) return;
        after = (page.at(-1) as StoredOutboxRow).seq;
      }
    });
  },
};

async function strangeMessages(
  scope: CheckScope,
  snapshot: Session,
  page: readonly StoredOutboxRow[],
): Promise<Finding[]> {
  const messages = page.map((row) => ({ row, decoded: decodeMessage(row.payload) }));
  const events = messages.flatMap(({ decoded }) =>
    decoded.kind === 'events' ? decoded.events : [],
  );
  const stored = await storedTexts(scope, events);
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

/** A message stays where it was written; its events go with their slot when that is moved. */
async function storedTexts(
  scope: CheckScope,
  events: readonly Envelope[],
): Promise<ReadonlySet<string>> {
  const groups = byShard(events, ({ step, sourceSlot, destinationSlot }) =>
    scope.snapshotOf(step === STEP.decide ? destinationSlot : sourceSlot),
  );
  const texts = await Promise.all(
    Array.from(groups, async ([snapshot, group]) =>
      (await readEvents(snapshot, group)).map(({ envelope }) => envelope),
    ),
  );
  return new Set(texts.flat());
}

function finding(
  snapshot: Session,
  { seq, topic }: StoredOutboxRow,
  problem: string,
  what: string,
): Finding {
  return { shard: snapshot.id, key: `message ${topic} ${seq}`, problem, detail: { what } };
}
