import type { TransferEventType, TransferId } from '@surety/domain';
import type { DecisionRow, TransferRow } from '@surety/saga';
import type { MemoryRows } from '../memory-store.js';

/** Everything all shards say about one transfer, read without any of the steps' code. */
interface Story {
  readonly id: TransferId;
  readonly transfers: readonly TransferRow[];
  readonly decisions: readonly DecisionRow[];
  readonly types: ReadonlyMap<number, TransferEventType>;
  readonly holds: number;
  /** `step account` of each leg. */
  readonly legs: readonly string[];
}

const STEPS = [10, 20, 30, 40];
const ENDS: readonly string[] = ['committed', 'rejected', 'cancelled'];
const PATHS: readonly string[] = [
  'requested',
  'requested>held',
  'requested>held>committed',
  'requested>held>rejected',
  'requested>held>cancelled',
  'requested>rejected',
  'requested>cancelled',
  'requested>committed',
];
const DECISION_BEFORE: Readonly<Record<string, string>> = {
  committed: 'credited',
  rejected: 'refused',
  cancelled: 'voided',
};

/** What is wrong with the history of one transfer, in words; empty where it is legal. */
export function illegalHistory(id: TransferId, shards: readonly MemoryRows[]): string[] {
  const story = tell(id, shards);
  const wrong = [...wrongRows(story), ...wrongPath(story), ...wrongDecision(story)];
  return wrong.map((what) => `${id}: ${what}`);
}

function tell(id: TransferId, shards: readonly MemoryRows[]): Story {
  const types = new Map<number, TransferEventType>();
  for (const rows of shards) {
    for (const step of STEPS) {
      const event = rows.events.get(`${id}/${step}`);
      if (event) types.set(step, event.type);
    }
  }
  const found = <T>(read: (rows: MemoryRows) => T | undefined): T[] =>
    shards.flatMap((rows) => read(rows) ?? []);
  return {
    id,
    types,
    transfers: found((rows) => rows.transfers.get(id)),
    decisions: found((rows) => rows.decisions.get(id)),
    holds: found((rows) => rows.holds.get(id)).length,
    legs: shards.flatMap((rows) =>
      rows.legs.filter((leg) => leg.transferId === id).map((leg) => `${leg.step} ${leg.account}`),
    ),
  };
}

function wrongRows(story: Story): string[] {
  const { transfers, decisions, legs } = story;
  return [
    ...(transfers.length > 1 ? ['lies on two shards'] : []),
    ...(decisions.length > 1 ? ['was decided twice'] : []),
    ...(new Set(legs).size < legs.length ? ['was posted twice'] : []),
    ...wrongState(story),
  ];
}

/** Rows and events must tell the same. */
function wrongState({ transfers, decisions, types }: Story): string[] {
  const [transfer] = transfers;
  if (!transfer) return ['has events and no transfer'];
  const last = lastOwn(types);
  const wrong = last === transfer.state ? [] : [`is ${transfer.state}, its last event ${last}`];
  if (transfer.kind === 'funding') return wrong;
  const outcome = decisions[0]?.decision.outcome;
  const decided = types.get(30);
  return outcome === decided ? wrong : [...wrong, `decision is ${outcome}, its event ${decided}`];
}

function lastOwn(types: Story['types']): TransferEventType | undefined {
  return types.get(40) ?? types.get(20) ?? types.get(10);
}

function wrongPath({ types }: Story): string[] {
  const own = [10, 20, 40].flatMap((step) => types.get(step) ?? []);
  const ends = own.filter((type) => ENDS.includes(type)).length;
  const path = own.join('>');
  return [
    ...(ends > 1 ? [`ended ${ends} times`] : []),
    ...(PATHS.includes(path) ? [] : [`took the path ${path}`]),
  ];
}

function wrongDecision({ transfers, decisions, types, holds }: Story): string[] {
  if (transfers[0]?.kind === 'funding') return [];
  const outcome = decisions[0]?.decision.outcome;
  const end = types.get(40);
  const isFounded = end === undefined || outcome === DECISION_BEFORE[end];
  const wrong = isFounded ? [] : [`${end} after ${String(outcome)}`];
  return outcome === 'credited' ? [...wrong, ...wrongCredit(types, holds)] : wrong;
}

function wrongCredit(types: Story['types'], holds: number): string[] {
  if (types.get(20) !== 'held') return ['credited without a hold'];
  return types.has(40) || holds > 0 ? [] : ['credited and its hold is gone'];
}
