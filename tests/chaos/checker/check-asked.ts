import type { AccountRow, Found, FoundTransfer, TransferRow } from './found.js';
import type { Terms } from './asked-terms.js';
import type { AskedAccount, AskedMovement, JournalFacts } from './journal-facts.js';
import type { SeenTransfer } from './statuses-heard.js';
import type { ToldTerms } from './told-terms.js';
import type { Violations } from './violations.js';

const ENDS = ['committed', 'rejected', 'cancelled'];
const EXTERNAL_PREFIX = '~external:';

/**
 * Whether what is stored is what was asked for: everything acknowledged once, nothing else, and
 * every answer that a client got true to the end.
 */
export function checkAsked(facts: JournalFacts, found: Found, violations: Violations): void {
  const byKey = new Map<string, FoundTransfer[]>();
  for (const transfer of found.transfers.values()) {
    checkKnown(transfer, facts, violations);
    const key = transfer.description ?? '';
    byKey.set(key, [...(byKey.get(key) ?? []), transfer]);
  }
  for (const movement of facts.movements.values()) {
    checkMovement(movement, byKey.get(movement.key) ?? [], violations);
  }
  checkAnswers(facts, found, violations);
  checkTermsTold(facts, found, violations);
  checkAccounts(facts, found, violations);
}

/** An end that a client was told is the end; one that was told held has been held. */
function checkAnswers({ seen }: JournalFacts, { transfers }: Found, violations: Violations): void {
  for (const [id, told] of seen) {
    const transfer = transfers.get(id);
    const row = transfer?.rows[0];
    if (!transfer || !row) continue;
    const wrong = [...wrongEnd(told, row), ...wrongHold(told, transfer)];
    for (const what of wrong) {
      violations.add('answer differs from history', `transfer ${id} ${what}`);
    }
  }
}

function wrongEnd({ status, reason }: SeenTransfer, row: TransferRow): string[] {
  const now = endOf(row.state, row.reason ?? undefined);
  const told = endOf(status, reason);
  return !ENDS.includes(status) || told === now ? [] : [`was told ${told} and is ${now}`];
}

function wrongHold({ wasHeld }: SeenTransfer, { events }: FoundTransfer): string[] {
  const isFounded = !wasHeld || events.some(({ type }) => type === 'held');
  return isFounded ? [] : ['was told held and never was'];
}

/** Whoever asked was told the terms that are stored. */
function checkTermsTold({ terms }: JournalFacts, found: Found, violations: Violations): void {
  for (const [id, told] of terms) {
    const transfer = found.transfers.get(id);
    const row = transfer?.rows[0];
    if (!transfer || !row) continue;
    const { source, destination, amount, currency } = row;
    const { description = '' } = transfer;
    const stored = { source, destination, amount, currency, description };
    for (const [field, value] of Object.entries(told) as [keyof ToldTerms, unknown][]) {
      if (value === stored[field]) continue;
      const detail = `transfer ${id} was told ${field} ${String(value)}, stored is ${stored[field]}`;
      violations.add('answer differs from history', detail);
    }
  }
}

function endOf(state: string, reason: string | undefined): string {
  return reason === undefined ? state : `${state} (${reason})`;
}

function checkAccounts(facts: JournalFacts, found: Found, violations: Violations): void {
  for (const [id, asked] of facts.accounts) {
    checkAccount(id, asked, { rows: found.accounts.get(id)?.rows ?? [], violations });
  }
  for (const [id, { rows }] of found.accounts) {
    if (rows.length > 0 && !facts.accounts.has(id)) violations.add('account nobody opened', id);
  }
}

function checkAccount(
  id: string,
  { currency, isAcknowledged }: AskedAccount,
  { rows, violations }: { rows: readonly AccountRow[]; violations: Violations },
): void {
  if (isAcknowledged && rows.length === 0) violations.add('acknowledged account missing', id);
  if (rows.length > 1) violations.add('account stored twice', id);
  for (const row of rows) {
    if (row.currency !== currency) violations.add('account altered', `${id}: ${row.currency}`);
  }
}

function checkKnown(
  { id, description, rows }: FoundTransfer,
  facts: JournalFacts,
  violations: Violations,
): void {
  if (rows.length > 1) violations.add('transfer stored twice', id);
  const forbidden = facts.forbidden.get(description ?? '');
  if (forbidden !== undefined) violations.add(forbidden, `${id}: ${description}`);
  else if (description === undefined || !facts.movements.has(description)) {
    violations.add('transfer nobody asked for', id);
  }
}

function checkMovement(
  movement: AskedMovement,
  stored: readonly FoundTransfer[],
  violations: Violations,
): void {
  const { key, ids, mayExist } = movement;
  for (const id of ids) {
    if (stored.some((transfer) => transfer.id === id && transfer.rows.length > 0)) continue;
    violations.add('acknowledged transfer missing', `${id} of key ${key}`);
  }
  if (stored.length > 1) {
    const all = stored.map(({ id }) => id).join(', ');
    violations.add('key made several transfers', `${key}: ${all}`);
  }
  if (ids.size === 0 && !mayExist && stored.length > 0) {
    violations.add('refused request took effect', `key ${key}: ${stored[0]?.id}`);
  }
  for (const { id, rows } of stored) {
    for (const row of rows) checkTerms(id, row, movement, violations);
  }
}

function checkTerms(
  id: string,
  row: TransferRow,
  { key, kind, terms }: AskedMovement,
  violations: Violations,
): void {
  const asked = { kind, ...terms };
  for (const name of ['kind', 'source', 'destination', 'amount', 'currency'] as const) {
    const is = row[name];
    const wanted = asked[name];
    if (is === wanted || isOutside(kind, terms, name, row)) continue;
    const detail = `transfer ${id} of key ${key}: ${name} ${is}, asked ${wanted}`;
    violations.add('transfer altered', detail);
  }
}

/** A funding names one account; the other one is where money comes from and goes to. */
function isOutside(kind: string, terms: Terms, name: string, row: TransferRow): boolean {
  if (kind !== 'funding' || (name !== 'source' && name !== 'destination')) return false;
  return terms[name] === '' && row[name].startsWith(EXTERNAL_PREFIX);
}
