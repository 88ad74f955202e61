import { eventMismatches, eventTermsMismatches } from '@surety/db';
import type { EventMismatch, EventTermsMismatch, Session } from '@surety/db';
import type { TransferId } from '@surety/domain';
import { isLegalHistory, pathOf } from './legal-history.js';
import { eachHistoryPage } from './pages.js';
import { onEveryShard } from './scope.js';
import type { Check } from './scope.js';
import type { Finding, Findings } from './types.js';

/** Envelopes parsed by one statement. */
const EVENTS_PER_PAGE = 20_000;

export const histories: Check = {
  name: 'histories',
  promise: 'Every state is what its events lead to; every event has the row that it made.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('transfers', 'transfer_events');
    await onEveryShard(scope, async (snapshot) => {
      await states(snapshot, findings);
      findings.add(...(await eventMismatches(snapshot)).map((row) => mismatch(snapshot, row)));
      await termsOfEvents(snapshot, findings);
    });
  },
};

async function states(snapshot: Session, findings: Findings): Promise<void> {
  for await (const page of eachHistoryPage(snapshot)) {
    for (const { transfer, events } of page) {
      const { id, kind, state } = transfer;
      if (isLegalHistory({ kind, state, events })) continue;
      findings.add({
        shard: snapshot.id,
        key: `transfer ${id}`,
        problem: 'state contradicts its events',
        detail: { kind, state, events: pathOf(events) },
      });
    }
    if (findings.isFull) return;
  }
}

function mismatch(snapshot: Session, { transferId, step, event, row }: EventMismatch): Finding {
  return {
    shard: snapshot.id,
    key: `event ${transferId}/${step}`,
    problem: event === null ? 'is missing' : 'has not the row that it made',
    detail: { event, row },
  };
}

async function termsOfEvents(snapshot: Session, findings: Findings): Promise<void> {
  let after: TransferId | undefined;
  do {
    const { mismatches, next } = await eventTermsMismatches(snapshot, after, EVENTS_PER_PAGE);
    findings.add(...mismatches.map((row) => terms(snapshot, row)));
    after = findings.isFull ? undefined : next;
  } while (after !== undefined);
}

function terms(snapshot: Session, { transferId, step, type }: EventTermsMismatch): Finding {
  return {
    shard: snapshot.id,
    key: `event ${transferId}/${step}`,
    problem: 'tells other terms than the row that it made',
    detail: { event: type },
  };
}
