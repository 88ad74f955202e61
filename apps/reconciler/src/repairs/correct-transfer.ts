import type { TransferId } from '@surety/domain';
import {
  correct,
  listDecisions,
  listTransfers,
  readTransferEvidence,
  writeTransferCorrection,
} from '@surety/db';
import type { TransferCorrection } from '@surety/db';
import type { DecisionRow } from '@surety/saga';
import type { CorrectionContext } from './context.js';
import { judgeTransfer } from './judge-transfer.js';
import type { Corrected, Verdict } from './verdict.js';

export interface Judged<Correction> {
  readonly verdict: Verdict<Correction>;
  readonly done?: Corrected;
}

/**
 * Judges one transfer under its row lock and sets right what follows from its events.
 * The decision lies on another shard and is read before: it is written once, so that one that stands
 * stays. Where none stands, one may come, and the steps follow it like any other.
 * @throws StoreError
 */
export async function correctTransfer(
  context: CorrectionContext,
  id: TransferId,
): Promise<Judged<TransferCorrection>> {
  const shard = context.shardOfTransfer(id);
  const { actor, reason, holdTimeoutMs } = context;
  const decision = await findDecision(context, id);
  return correct<Judged<TransferCorrection>>(shard, context, async (session) => {
    const evidence = await readTransferEvidence(session, id);
    const verdict = judgeTransfer({ ...evidence, decision, holdTimeoutMs });
    const { transfer } = evidence;
    if (verdict.kind !== 'correct' || !transfer) return { statements: [], result: { verdict } };
    const { correction, before, after } = verdict;
    const statements = writeTransferCorrection({ ...evidence, transfer }, correction, {
      ...{ actor, action: 'correct.transfer', transferId: id },
      ...{ slot: transfer.slot, reason, before, after },
    });
    const key = `transfer ${id}`;
    const accounts = [transfer.source, ...(evidence.hold ? [evidence.hold.account] : [])];
    const done = { shard: shard.id, key, before, after, accounts };
    return { statements, result: { verdict, done } };
  });
}

async function findDecision(
  context: CorrectionContext,
  id: TransferId,
): Promise<DecisionRow | undefined> {
  const [transfer] = await listTransfers(context.shardOfTransfer(id), [id]);
  if (!transfer || transfer.kind === 'funding') return undefined;
  const [decision] = await listDecisions(context.shardOfAccount(transfer.destination), [id]);
  return decision;
}
