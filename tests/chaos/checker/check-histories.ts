import type { Found, FoundTransfer, TransferRow } from './found.js';
import type { Violations } from './violations.js';

/** Every way a transfer may go, event by event with the step it lies at, and how it ends. */
const LEGAL: Readonly<Record<string, string>> = {
  'requested@10 held@20 credited@30 committed@40': 'committed',
  'requested@10 held@20 refused@30 rejected@40': 'rejected',
  'requested@10 rejected@20': 'rejected',
  // A cancel that came while the hold was being turned down.
  'requested@10 rejected@20 voided@30': 'rejected',
  'requested@10 held@20 voided@30 cancelled@40': 'cancelled',
  'requested@10 voided@30 cancelled@40': 'cancelled',
};
const LEGAL_FUNDING = 'requested@10 committed@40';
const ENDS = ['committed', 'rejected', 'cancelled'];
const DECISIONS = ['credited', 'refused', 'voided'];

/** Each transfer has ended once, by a legal path, and its rows, events and decision say the same. */
export function checkHistories(found: Found, violations: Violations): void {
  for (const transfer of found.transfers.values()) {
    const row = transfer.rows[0];
    if (!row) {
      violations.add('rows without their transfer', transfer.id);
      continue;
    }
    checkPath(transfer, row, violations);
    checkTermsEverywhere(transfer, row, violations);
    checkDecision(transfer, violations);
    checkShards(transfer, row, found, violations);
    if (transfer.keys !== 1) {
      violations.add('transfer without one key', `${transfer.id} has ${transfer.keys} keys`);
    }
    checkStatus(transfer, row, violations);
  }
}

function checkPath({ id, events }: FoundTransfer, row: TransferRow, violations: Violations): void {
  const path = [...events]
    .sort((one, other) => one.step - other.step)
    .map(({ type, step }) => `${type}@${step}`)
    .join(' ');
  const end = row.kind === 'funding' ? endOfFunding(path) : LEGAL[path];
  if (end === undefined) violations.add('history is not legal', `transfer ${id}: ${path}`);
  else if (end !== row.state) {
    violations.add('state is not the end of the history', `${id}: ${row.state} after ${path}`);
  }
  const last = events.find(({ type }) => type === row.state);
  if (last && last.reason !== row.reason) {
    const detail = `transfer ${id}: ${String(row.reason)} in its row, ${String(last.reason)} in its event`;
    violations.add('reasons differ', detail);
  }
}

function endOfFunding(path: string): string | undefined {
  return path === LEGAL_FUNDING ? 'committed' : undefined;
}

function checkTermsEverywhere(
  { id, events, decisions }: FoundTransfer,
  row: TransferRow,
  violations: Violations,
): void {
  const copies = [
    ...events.map((event) => ({ ...event, name: event.type })),
    ...decisions.map((decision) => ({ ...decision, name: 'decision' })),
  ];
  for (const copy of copies) {
    for (const field of ['source', 'destination', 'amount', 'currency'] as const) {
      if (copy[field] === row[field]) continue;
      const detail = `transfer ${id}: ${field} ${copy[field]} in ${copy.name}, ${row[field]} in its row`;
      violations.add('terms differ', detail);
    }
  }
}

/** The decision and its event are written together: where one is, the other is, too. */
function checkDecision({ id, events, decisions }: FoundTransfer, violations: Violations): void {
  const decided = events.filter(({ type }) => DECISIONS.includes(type));
  const inEvents = decided.map(({ type, reason, shard }) => `${type} ${reason} ${shard}`).join();
  const inRows = decisions.map((row) => `${row.outcome} ${row.reason} ${row.shard}`).join();
  if (inEvents !== inRows) {
    const detail = `transfer ${id}: ${inRows || 'none'} in decisions, ${inEvents || 'none'} in events`;
    violations.add('decision differs from its event', detail);
  }
}

/** What the source decides lies with the source, what the destination decides with it. */
function checkShards(
  { id, events, decisions }: FoundTransfer,
  row: TransferRow,
  found: Found,
  violations: Violations,
): void {
  const source = found.accounts.get(row.source)?.rows[0]?.shard ?? row.shard;
  // A transfer to an account that there is not is refused where that account would lie.
  const known = found.accounts.get(row.destination)?.rows[0]?.shard;
  const destination = known ?? found.homes.of(row.destination);
  const isAway =
    row.shard !== source ||
    events.some(({ type, shard }) => !DECISIONS.includes(type) && shard !== row.shard) ||
    decisions.some(({ shard }) => shard !== destination);
  if (isAway) violations.add('rows on another shard', `transfer ${id}`);
}

function checkStatus(
  { id, statuses }: FoundTransfer,
  row: TransferRow,
  violations: Violations,
): void {
  // Ends alone are told; what is told of a transfer that hangs must be so all the same.
  if (statuses.length === 0 && !ENDS.includes(row.state)) return;
  const projected = statuses.map(({ status, reason }) => `${status} ${reason}`).join();
  const wanted = `${row.state} ${row.reason}`;
  if (projected !== wanted) {
    const detail = `transfer ${id} is projected as ${projected || 'nothing'} and is ${wanted}`;
    violations.add('status projection differs', detail);
  }
}
