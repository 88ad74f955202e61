import { eventTextOf } from '../chaos/checker/event-text.js';
import type { EventText } from '../chaos/checker/event-text.js';
import { withShards } from './shard-tables.js';

interface Standing {
  readonly balance: bigint;
  readonly held: bigint;
}

/** What each event does to the account it shows, by the book: [balance, held]. */
function effectOf(event: EventText, account: string): readonly [bigint, bigint] {
  const amount = BigInt(event.data.amount);
  if (event.data.kind === 'funding') {
    return event.data.destination === account ? [amount, 0n] : [-amount, 0n];
  }
  switch (event.type) {
    case 'held':
      return [0n, amount];
    case 'credited':
      return [amount, 0n];
    case 'committed':
      return [-amount, -amount];
    case 'cancelled':
    case 'rejected':
      return [0n, -amount];
    default:
      throw new Error(`a ${event.type} event changes no account`);
  }
}

function isRefusal(event: EventText, account: string): boolean {
  const atHold = event.type === 'rejected' && event.data.reason === 'insufficient_funds';
  return event.type === 'refused' || (atHold && event.data.source === account);
}

/**
 * Replays the history of every account from nothing: versions are dense, each change follows from
 * the one before, and whoever was refused for lack of money really lacked it at that place.
 * @returns faults in words, and how many refusals were proven true
 */
export async function replayHistory(
  shardUrls: readonly string[],
): Promise<{ faults: string[]; standings: Map<string, Standing>; refusalsProven: number }> {
  const events = await withShards(shardUrls, async (shards) => {
    const pages = await Promise.all(
      shards.map((shard) => shard.rows('SELECT envelope FROM transfer_events')),
    );
    return pages.flat().map((row) => eventTextOf(String(row['envelope'])));
  });
  const changes = new Map<string, Map<bigint, EventText>>();
  const refusals: [string, bigint, EventText][] = [];
  const faults: string[] = [];
  for (const event of events) {
    for (const { id, version } of event.accounts) {
      const at = BigInt(version);
      if (isRefusal(event, id)) {
        refusals.push([id, at, event]);
        continue;
      }
      const own = changes.get(id) ?? new Map<bigint, EventText>();
      if (own.has(at)) faults.push(`${id} has two changes with version ${at}`);
      changes.set(id, own.set(at, event));
    }
  }
  const standings = new Map<string, Standing>();
  const past = new Map<string, Standing>();
  for (const [id, own] of changes) {
    standings.set(id, replayAccount(id, own, { past, faults }));
  }
  const refusalsProven = provenRefusals(refusals, past, faults);
  return { faults, standings, refusalsProven };
}

function replayAccount(
  id: string,
  own: ReadonlyMap<bigint, EventText>,
  { past, faults }: { past: Map<string, Standing>; faults: string[] },
): Standing {
  let standing: Standing = { balance: 0n, held: 0n };
  past.set(`${id}@0`, standing);
  for (let version = 1n; version <= BigInt(own.size); version += 1n) {
    const event = own.get(version);
    if (!event) {
      faults.push(`${id} has no change with version ${version}`);
      break;
    }
    const [balance, held] = effectOf(event, id);
    standing = { balance: standing.balance + balance, held: standing.held + held };
    const shown = event.accounts.find((account) => account.id === id);
    if (shown?.balance !== String(standing.balance) || shown.held !== String(standing.held)) {
      faults.push(`${id} at version ${version} shows ${shown?.balance}, not ${standing.balance}`);
    }
    if (standing.balance - standing.held < 0n) faults.push(`${id} is overdrawn at ${version}`);
    past.set(`${id}@${version}`, standing);
  }
  return standing;
}

function provenRefusals(
  refusals: readonly [string, bigint, EventText][],
  past: ReadonlyMap<string, Standing>,
  faults: string[],
): number {
  let proven = 0;
  for (const [id, version, event] of refusals) {
    if (event.data.reason !== 'insufficient_funds') continue;
    const standing = past.get(`${id}@${version}`);
    const lacked =
      standing !== undefined && standing.balance - standing.held < BigInt(event.data.amount);
    if (lacked) proven += 1;
    else faults.push(`${event.transferId} was refused although ${id} had the money`);
  }
  return proven;
}
