import type { ShardId, TransferId } from '@surety/domain';
import { digitsOfTransferId, isEnded, slotOfTransferId } from '@surety/domain';
import {
  countTransferRecords,
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
  TransferRecords,
  TransferSelection,
} from '@surety/db';
import { inPieces } from '../../give-way.js';
import type { Behind } from '../lag.js';
import { lastOwnStep } from '../legal-history.js';
import { PAGE_ROWS } from '../pages.js';
import { staleStatus, strayFinding } from '../projections.js';
import type { CheckScope } from '../scope.js';
import { foreign, misplaced, otherCarrier } from '../slots.js';
import { countsOf, rowsText } from './judged-pages.js';
import type { JudgedPage, JudgedPages } from './judged-pages.js';
import { foreignRows, judgeSlots } from './judge-slots.js';
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

/** What a look at everything new has read. */
export interface NewTransfers {
  readonly pages: readonly JudgedPage[];
  /** From this id on every transfer was read; before it those pages that are not as they were. */
  readonly readFrom: TransferId;
}

/**
 * Everything whose id is from the time since the verified point, wherever there is a row of it.
 * @param judged pages whose rows are left alone where there are as many of them as there were
 */
export async function lookAtNewTransfers(
  look: TransfersLook,
  judged: JudgedPages,
): Promise<NewTransfers> {
  const pages: JudgedPage[] = [];
  // One by one: after days in which the point stood still there are more than a call takes.
  for await (const page of eachPage(look, judged)) pages.push(page);
  return { pages, readFrom: judged.beyond(look.bound).at(-1)?.below ?? look.bound };
}

async function* eachPage(look: TransfersLook, judged: JudgedPages): AsyncGenerator<JudgedPage> {
  let from = look.bound;
  for (const page of judged.beyond(look.bound)) {
    yield* lookAtRange(look, { from, to: page.from });
    yield* lookAgain(look, page);
    from = page.below;
  }
  yield* lookAtRange(look, { from, to: undefined });
}

async function* lookAgain(look: TransfersLook, page: JudgedPage): AsyncGenerator<JudgedPage> {
  const counts = await inPieces(look.scope.giveWay, () =>
    Promise.all(look.scope.snapshots.map((snapshot) => countTransferRecords(snapshot, page))),
  );
  if (rowsText(counts) === page.rows) yield page;
  else yield* lookAtRange(look, { from: page.from, to: page.below });
}

interface Range {
  readonly from: TransferId;
  /** undefined: without end. */
  readonly to: TransferId | undefined;
}

/** The pages that were read, without the last one of a range that has no end. */
async function* lookAtRange(look: TransfersLook, { from, to }: Range): AsyncGenerator<JudgedPage> {
  let next: TransferId | undefined = from;
  while (next !== undefined && (to === undefined || next < to)) {
    const below = await nextBelow(look.scope, { from: next, to });
    const range = { from: next, below };
    const rows = await inPieces(look.scope.giveWay, () => lookAt(look, range));
    if (below !== undefined) yield { from: next, below, rows };
    next = below;
  }
}

/** Where the next piece ends, so that no shard has more transfers in it than a page. */
async function nextBelow(
  { snapshots }: CheckScope,
  { from, to }: Range,
): Promise<TransferId | undefined> {
  const ends = await Promise.all(
    snapshots.map((snapshot) => transferIdAfter(snapshot, from, NEW_TRANSFERS_PAGE)),
  );
  return [...ends, to].filter((id) => id !== undefined).sort()[0];
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

/** Transfers with ids before this one that had not ended at the verified point, or have not yet. */
export async function lookAtOpenTransfers(
  snapshot: Session,
  look: TransfersLook,
  before: TransferId,
): Promise<void> {
  let after: TransferId | undefined;
  for (;;) {
    const range = { after, before };
    const ids = await listVerifiedOpenTransfers(snapshot, range, PAGE_ROWS);
    await lookAtTransfers(look, ids);
    if (ids.length < PAGE_ROWS) break;
    after = ids.at(-1);
  }
  for await (const page of eachOpenPage(snapshot)) {
    const ids = page.map(({ transferId }) => transferId).filter((id) => id < before);
    await lookAtTransfers(look, ids);
  }
}

/** Everything that is open, a page at a time. */
export async function* eachOpenPage(snapshot: Session): AsyncGenerator<readonly OpenPosition[]> {
  let after: OpenPosition | undefined;
  for (;;) {
    const page = await listOpenPositions(snapshot, after, PAGE_ROWS);
    if (page.length > 0) yield page;
    if (page.length < PAGE_ROWS) return;
    after = page.at(-1);
  }
}

/** The checks that a look at transfers serves. */
export const STORY_CHECKS: readonly string[] = [
  ...['histories', 'decisions', 'credits', 'step-legs', 'open-transfers', 'slots'],
];

/** @returns how many rows there were, as `rowsText` says it */
async function lookAt(look: TransfersLook, selection: TransferSelection): Promise<string> {
  const { scope, sink } = look;
  const records = await Promise.all(
    scope.snapshots.map((snapshot) => readTransferRecords(snapshot, selection)),
  );
  scope.snapshots.forEach(({ id }, at) => {
    lookForForeign(look, id, records[at] as TransferRecords);
  });
  const stories = storiesOf(records);
  for (const check of STORY_CHECKS) sink.of(check).rowsChecked += stories.length;
  for (const story of stories) {
    const shard = scope.snapshotOf(slotOfTransferId(story.id));
    for (const { check, key, problem, detail } of judgeStory(story)) {
      sink.tell(check, { shard: shard.id, key, problem, detail });
    }
    for (const row of judgeSlots(story)) {
      sink.tell('slots', { shard: shard.id, ...misplaced(row) });
    }
    lookAtStatus(look, shard, story);
  }
  return rowsText(records.map(countsOf));
}

/** A copy that a slot left behind when it was moved tells the same story. */
function lookForForeign(
  { scope, sink }: TransfersLook,
  shard: ShardId,
  records: TransferRecords,
): void {
  const carrierOf = (slot: number): ShardId | undefined => otherCarrier(scope.map, shard, slot);
  for (const row of foreignRows(records, (slot) => carrierOf(slot) !== undefined)) {
    sink.tell('slots', { shard, ...foreign(row, carrierOf(row.slot) as ShardId) });
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
  if ('version' in stale) behind.push(stale);
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
