import { slotOfTransferId } from '@surety/domain';
import { listTransfers } from '@surety/db';
import type { ComparedTransfer, Session } from '@surety/db';
import type { DecisionRow } from '@surety/saga';
import { byShard, eachDecisionPage } from './pages.js';
import { onEveryShard } from './scope.js';
import type { Check, CheckScope } from './scope.js';
import type { Findings } from './types.js';

/** Read from the destination: nothing was decided about a transfer that does not exist. */
export const credits: Check = {
  name: 'credits',
  promise:
    'Every decision is about a transfer with its terms; what is credited is held or committed.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('decisions');
    await onEveryShard(scope, async (snapshot) => {
      for await (const page of eachDecisionPage(snapshot)) {
        await comparePage(scope, { snapshot, page, findings });
        if (findings.isFull) return;
      }
    });
  },
};

interface DestinationPage {
  readonly snapshot: Session;
  readonly page: readonly DecisionRow[];
  readonly findings: Findings;
}

async function comparePage(
  scope: CheckScope,
  { snapshot, page, findings }: DestinationPage,
): Promise<void> {
  const groups = byShard(page, (row) => scope.snapshotOf(slotOfTransferId(row.transferId)));
  for (const [source, group] of groups) {
    const transfers = await listTransfers(
      source,
      group.map((row) => row.transferId),
    );
    const byId = new Map(transfers.map((transfer) => [transfer.id, transfer]));
    for (const row of group) {
      const transfer = byId.get(row.transferId);
      const problem = creditFault(row, transfer);
      if (!problem) continue;
      findings.add({
        shard: snapshot.id,
        key: `decision ${row.transferId}`,
        problem,
        detail: {
          decision: row.decision.outcome,
          amount: row.amountMinor.toString(),
          state: transfer?.state ?? null,
          transferAmount: transfer?.amountMinor.toString() ?? null,
        },
      });
    }
  }
}

/** What is wrong between a decision and the transfer that it is about, seen at the same instant. */
export function creditFault(
  row: DecisionRow,
  transfer: ComparedTransfer | undefined,
): string | undefined {
  if (!transfer) return 'is about a transfer that does not exist';
  const haveSameTerms =
    row.source === transfer.source &&
    row.destination === transfer.destination &&
    row.amountMinor === transfer.amountMinor &&
    row.currency === transfer.currency;
  if (!haveSameTerms) return 'has other terms than its transfer';
  const { state } = transfer;
  if (row.decision.outcome === 'credited' && state !== 'committed' && state !== 'held') {
    return 'credited a transfer that is neither held nor committed';
  }
  return undefined;
}
