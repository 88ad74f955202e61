import type { TransferId } from '@surety/domain';
import { digitsOfTransferId, isEnded, slotOfTransferId } from '@surety/domain';
import {
  listOpenPositions,
  listVerifiedOpenTransfers,
  readTransferRecords,
  transferIdAfter,
} from '@surety/db';
import type {
  ComparedTransfer,
  OpenPosition,
  RecordedStatus,
  Session,
  StaleStatus,
  StrayProjection,
  TransferSelection,
} from '@surety/db';
import { lastOwnStep } from '../legal-history.js';
import { PAGE_ROWS } from '../pages.js';
import { staleStatus, strayFinding } from '../projections.js';
import type { Behind } from '../projections.js';
import type { CheckScope } from '../scope.js';
import { judgeStory } from './judge-story.js';
import type { Sink } from './sink.js';
import { storiesOf } from './story.js';
import type { TransferStory } from './story.js';

/**
 * New transfers in memory at a time, per shard. Their rows are some 5 MB with all that is made of
 * them: of 1,000 at a time most outlived the next collections of garbage, which cost more than the
 * statements that are saved.
 */
const NEW_TRANSFERS_PAGE = 250;

/** Single ids looked up at a time: one list of a statement. */
const IDS_PER_LOOK = 500;

export interface TransfersLook {
  readonly scope: CheckScope;
  readonly sink: Sink;
  /** Every transfer from this id on is looked at. */
  readonly bound: TransferId;
  /** Statuses that are older than the truth, to be judged when all of them are known. */
  readonly behind: Behind[];
}

/** Everything whose id is from the time since the verified point, wherever there is a row of it. */
export async function lookAtNewTransfers(look: TransfersLook): Promise<void> {
  let from: TransferId | undefined = look.bound;
  while (from !== undefined) {
    const below: TransferId | undefined = await nextBelow(look.scope, from);
    await lookAt(look, { from, below });
    from = below;
  }
}

/** Where the next piece ends, so that no shard has more transfers in it than a page. */
async function nextBelow(
  { snapshots }: CheckScope,
  from: TransferId,
): Promise<TransferId | undefined> {
  const ends = await Promise.all(
    snapshots.map((snapshot) => transferIdAfter(snapshot, from, NEW_TRANSFERS_PAGE)),
  );
  return ends.filter((id) => id !== undefined).sort()[0];
}

/** Single transfers of older ids. */
export async function lookAtTransfers(
  look: TransfersLook,
  ids: readonly TransferId[],
): Promise<void> {
  for (let at = 0; at < ids.length; at += IDS_PER_LOOK) {
    await lookAt(look, { ids: ids.slice(at, at + IDS_PER_LOOK) });
  }
}

/** Older transfers that had not ended at the verified point, or have not ended yet. */
export async function lookAtOpenTransfers(snapshot: Session, look: TransfersLook): Promise<void> {
  let after: TransferId | undefined;
  for (;;) {
    const range = { after, before: look.bound };
    const ids = await listVerifiedOpenTransfers(snapshot, range, PAGE_ROWS);
    await lookAtTransfers(look, ids);
    if (ids.length < PAGE_ROWS) break;
    after = ids.at(-1);
  }
  for await (const page of eachOpenPage(snapshot)) {
    const ids = page.map(({ transferId }) => transferId).filter((id) => id < look.bound);
    await lookAtTransfers(look, ids);
  }
}

/** Everything that is listed as open, a page at a time. */
export async function* eachOpenPage(snapshot: Session): AsyncGenerator<readonly OpenPosition[]> {
  let after: OpenPosition | undefined;
  for (;;) {
    const page = await listOpenPositions(snapshot, after, PAGE_ROWS);
    if (page.length > 0) yield page;
    if (page.length < PAGE_ROWS) return;
    after = page.at(-1);
  }
}

const STORY_CHECKS = ['histories', 'decisions', 'credits', 'step-legs', 'open-transfers'] as const;

async function lookAt(look: TransfersLook, selection: TransferSelection): Promise<void> {
  const { scope, sink } = look;
  const records = await Promise.all(
    scope.snapshots.map((snapshot) => readTransferRecords(snapshot, selection)),
  );
  const stories = storiesOf(records);
  for (const check of STORY_CHECKS) sink.of(check).rowsChecked += stories.length;
  for (const story of stories) {
    const shard = scope.snapshotOf(slotOfTransferId(story.id));
    for (const { check, key, problem, detail } of judgeStory(story)) {
      sink.tell(check, { shard: shard.id, key, problem, detail });
    }
    lookAtStatus(look, shard, story);
  }
}

function lookAtStatus(look: TransfersLook, shard: Session, story: TransferStory): void {
  const { sink, behind } = look;
  const { transfer, status } = story;
  if (status) sink.of('projections').rowsChecked += 1;
  const stray = strayStatus(story);
  if (stray) sink.tell('projections', strayFinding(shard, stray));
  if (!transfer || !differs(status, transfer)) return;
  const stale = staleStatus(shard, comparedStatus(story, transfer));
  if ('reached' in stale) behind.push(stale);
  else sink.tell('projections', stale);
}

/** A status of what does not exist, or one that claims a step which was not taken. */
function strayStatus({ id, transfer, status, events }: TransferStory): StrayProjection | undefined {
  if (!status) return undefined;
  const truthVersion = transfer ? BigInt(lastOwnStep(events)) : null;
  if (truthVersion !== null && status.version <= truthVersion) return undefined;
  const key = digitsOfTransferId(id);
  return { table: 'transaction_status', key, version: status.version, truthVersion };
}

/** A transfer that is under way needs no projection. */
function differs(
  projected: RecordedStatus | undefined,
  { state, reason }: ComparedTransfer,
): boolean {
  if (!projected) return isEnded(state);
  return projected.status !== state || projected.reason !== reason;
}

function comparedStatus(
  { id, status, events }: TransferStory,
  transfer: ComparedTransfer,
): StaleStatus {
  return {
    id,
    state: transfer.state,
    reason: transfer.reason,
    projectedStatus: status?.status ?? null,
    projectedReason: status?.reason ?? null,
    projectedVersion: status ? Number(status.version) : null,
    version: lastOwnStep(events),
  };
}
