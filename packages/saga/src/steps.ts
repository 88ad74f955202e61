import type { Envelope } from '@surety/contracts';
import type { AccountId } from '@surety/domain';
import { ChangeSet } from './change-set.js';
import type { LoadRequest, ShardStore } from './ports.js';
import { StepFold } from './step-fold.js';
import type { StepOptions, StepResult } from './step-fold.js';

export { actingSlot, isActionable } from './step-fold.js';
export type { StepOptions, StepResult } from './step-fold.js';

/**
 * Takes the steps that a set of events asks for on one shard, in one transaction: hold for
 * requested, credit for held, commit for credited, release for refused and voided. Repeated and
 * reordered events change nothing (promise 2); results come in the order of the events.
 * @throws StoreError
 */
export function applySteps(
  store: ShardStore,
  events: readonly Envelope[],
  options: StepOptions,
): Promise<readonly StepResult[]> {
  const load = loadFor(events, options);
  return store.transact(load, (loaded) => {
    const set = new ChangeSet(loaded, load);
    const fold = new StepFold(set, options);
    const result = events.map((envelope) => fold.take(envelope));
    return { changes: set.finish(), result };
  });
}

/** The envelope says which rows its step needs, so everything is locked in one round trip. */
function loadFor(events: readonly Envelope[], options: StepOptions): LoadRequest {
  const transfers = new Set<string>();
  const decisions = new Set<string>();
  const accounts = new Set<AccountId>();
  for (const { type, transferId, sourceSlot, destinationSlot, data } of events) {
    const isHeld = type === 'held';
    if (!isHeld || options.continuesOn?.(sourceSlot)) {
      transfers.add(transferId);
      accounts.add(data.source);
    }
    if (isHeld || (type === 'requested' && options.continuesOn?.(destinationSlot))) {
      decisions.add(transferId);
      accounts.add(data.destination);
    }
  }
  return {
    transfers: [...transfers],
    decisions: [...decisions],
    accounts: [...accounts],
  };
}
