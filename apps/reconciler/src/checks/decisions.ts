import { slotOfAccount } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { listDecisions } from '@surety/db';
import type { Session, TransferHistory } from '@surety/db';
import type { DecisionRow } from '@surety/saga';
import { decisionFault } from './legal-history.js';
import { byShard, eachHistoryPage } from './pages.js';
import { onEveryShard } from './scope.js';
import type { Check, CheckScope } from './scope.js';
import type { Findings } from './types.js';

/** Read from the source: what ended agrees with what the destination decided. */
export const decisions: Check = {
  name: 'decisions',
  promise: 'Committed was credited; released was refused or voided; nothing else was decided.',
  inspect: async (scope, findings) => {
    findings.rowsChecked = await scope.count('transfers');
    await onEveryShard(scope, async (snapshot) => {
      for await (const page of eachHistoryPage(snapshot)) {
        await comparePage(scope, { snapshot, page, findings });
        if (findings.isFull) return;
      }
    });
  },
};

interface SourcePage {
  readonly snapshot: Session;
  readonly page: readonly TransferHistory[];
  readonly findings: Findings;
}

async function comparePage(
  scope: CheckScope,
  { snapshot, page, findings }: SourcePage,
): Promise<void> {
  const transfers = page.filter(({ transfer }) => transfer.kind !== 'funding');
  const groups = byShard(transfers, ({ transfer }) =>
    scope.snapshotOf(slotOfAccount(transfer.destination)),
  );
  for (const [destination, group] of groups) {
    const ids = group.map(({ transfer }) => transfer.id);
    const rows = await listDecisions(destination, ids);
    const byId = new Map<TransferId, DecisionRow>(rows.map((row) => [row.transferId, row]));
    for (const history of group) {
      compare(snapshot, history, byId.get(history.transfer.id), findings);
    }
  }
}

function compare(
  snapshot: Session,
  { transfer, events }: TransferHistory,
  row: DecisionRow | undefined,
  findings: Findings,
): void {
  const { id, kind, state } = transfer;
  const problem = decisionFault({ kind, state, events }, row?.decision);
  if (!problem) return;
  findings.add({
    shard: snapshot.id,
    key: `transfer ${id}`,
    problem,
    detail: { state, decision: row?.decision.outcome ?? null, destination: transfer.destination },
  });
}
