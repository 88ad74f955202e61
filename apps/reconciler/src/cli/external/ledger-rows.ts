import { findAccount, listAccountLegs, listTransfers, readEvents } from '@surety/db';
import type { AccountLeg, Shard } from '@surety/db';
import { slotOfAccount, slotOfTransferId } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { dataOfEvent } from '@surety/saga';
import { CliError, EXIT } from '../output.js';
import type { Session } from '../session.js';
import { Calendar, dayOfDate } from './calendar.js';
import type { Day } from './calendar.js';
import { amountKey } from './rows.js';
import type { LedgerRow } from './rows.js';
import type { Rules } from './rules.js';

const PAGE_MAX = 500;
/**
 * Entries are numbered under the account's lock and timed when their transaction began, so their
 * times may go back a little from one number to the next: never by more than a transaction may last.
 * The calendar's own slack is a day, as zones differ from UTC by up to 14 hours.
 */
const SLACK_DAYS = 2;

/** Days whose movements are read, slack and tolerance included. */
interface Window {
  readonly from: Day;
  readonly to: Day;
}

/**
 * Hands over what moved on the account in the window of the rules, and as many days around it as a
 * date may be off. Read by number: the first is found by halving, the others follow in pages.
 * @throws CliError where there is no such account; StoreError
 */
export async function readLedgerRows(
  session: Session,
  rules: Rules,
  take: (row: LedgerRow) => void,
): Promise<void> {
  const { account } = rules.transfers;
  const shard = session.shardOf(slotOfAccount(account));
  if (!(await findAccount(shard, account))) {
    throw new CliError(`there is no account ${account}`, EXIT.failed);
  }
  const reader = new LedgerReader(session, rules);
  const { from, to } = reader.window;
  let above = await firstNumber(shard, account, from - SLACK_DAYS);
  for (;;) {
    const legs = await listAccountLegs(shard, account, above, PAGE_MAX);
    for (const row of await reader.rowsOf(legs)) take(row);
    const last = legs.at(-1);
    if (!last || legs.length < PAGE_MAX || utcDay(last.postedAt) >= to + SLACK_DAYS) return;
    above = last.entrySeq;
  }
}

/** The number below the first entry of that day or a later one, in a number of reads that is logarithmic. */
async function firstNumber(shard: Shard, account: string, day: Day): Promise<bigint> {
  let low = 0n;
  let high = 1n;
  const isBefore = async (above: bigint): Promise<boolean> => {
    const [leg] = await listAccountLegs(shard, account, above, 1);
    return leg !== undefined && utcDay(leg.postedAt) < day;
  };
  while (await isBefore(high)) {
    low = high;
    high *= 2n;
  }
  // Entries up to `low` are before the day; the one above `high` is not.
  while (low < high) {
    const middle = (low + high) / 2n;
    if (await isBefore(middle)) low = middle + 1n;
    else high = middle;
  }
  return low;
}

function utcDay(time: string): Day {
  return dayOfDate(time.slice(0, 10)) ?? 0;
}

class LedgerReader {
  readonly window: Window;
  readonly #session: Session;
  readonly #rules: Rules;
  readonly #calendar: Calendar;

  constructor(session: Session, rules: Rules) {
    this.#session = session;
    this.#rules = rules;
    this.#calendar = new Calendar(rules.file.timeZone);
    const off = rules.match.dateToleranceDays;
    const { from, to } = rules.transfers;
    this.window = { from: (dayOfDate(from) ?? 0) - off, to: (dayOfDate(to) ?? 0) + off };
  }

  async rowsOf(legs: readonly AccountLeg[]): Promise<LedgerRow[]> {
    const inside = legs.flatMap((leg) => {
      const day = this.#calendar.dayOfInstant(leg.postedAt);
      return day !== undefined && this.#isWanted(leg, day) ? [{ leg, day }] : [];
    });
    const keys = await this.#keysOf(inside.map(({ leg }) => leg));
    return inside.flatMap(({ leg, day }) => {
      const { transferId, minor, currency } = leg;
      const key = keys.get(transferId);
      return key === undefined ? [] : [{ side: 'ledger', key, transferId, minor, currency, day }];
    });
  }

  #isWanted({ minor }: AccountLeg, day: Day): boolean {
    if (day < this.window.from || day >= this.window.to) return false;
    const { direction } = this.#rules.transfers;
    return direction === 'both' || (direction === 'in') === minor > 0n;
  }

  /** The key of each transfer; none for those of another tenant. */
  async #keysOf(legs: readonly AccountLeg[]): Promise<ReadonlyMap<TransferId, string>> {
    const { by } = this.#rules.match;
    const wanted = await this.#ofTenant(legs);
    if (by === 'transferId') return new Map(wanted.map((leg) => [leg.transferId, leg.transferId]));
    if (by === 'amountAndDate') {
      return new Map(wanted.map((leg) => [leg.transferId, amountKey(leg.minor, leg.currency)]));
    }
    return this.#references(wanted.map(({ transferId }) => transferId));
  }

  async #ofTenant(legs: readonly AccountLeg[]): Promise<readonly AccountLeg[]> {
    const { tenant } = this.#rules.transfers;
    if (tenant === undefined) return legs;
    const ids = legs.map(({ transferId }) => transferId);
    const transfers = await this.#onSources(ids, listTransfers);
    const own = new Set(transfers.filter((row) => row.tenant === tenant).map(({ id }) => id));
    return legs.filter(({ transferId }) => own.has(transferId));
  }

  /** What the requests say; a transfer without the member has a key that no file can have. */
  async #references(ids: readonly TransferId[]): Promise<ReadonlyMap<TransferId, string>> {
    const { by } = this.#rules.match;
    const events = await this.#onSources(ids, (shard, own) =>
      readEvents(
        shard,
        own.map((transferId) => ({ transferId, step: 10 })),
      ),
    );
    return new Map(
      events.map((event) => {
        const { description, metadata } = dataOfEvent(event);
        const value = by === 'description' ? description : metadata?.[by.slice('metadata.'.length)];
        return [event.transferId, referenceText(value) ?? `\u0000${event.transferId}`];
      }),
    );
  }

  /** Reads by id on the shards of the transfers' sources. */
  async #onSources<Row>(
    ids: readonly TransferId[],
    read: (shard: Shard, ids: readonly TransferId[]) => Promise<readonly Row[]>,
  ): Promise<readonly Row[]> {
    const byShard = new Map<Shard, TransferId[]>();
    for (const id of ids) {
      const shard = this.#session.shardOf(slotOfTransferId(id));
      const own = byShard.get(shard);
      if (own) own.push(id);
      else byShard.set(shard, [id]);
    }
    const pages = await Promise.all(Array.from(byShard, ([shard, own]) => read(shard, own)));
    return pages.flat();
  }
}

/** Trimmed as the cells of the file are. */
function referenceText(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined;
}
