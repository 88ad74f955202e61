import type { Command } from 'commander';
import { isEnded } from '@surety/domain';
import type { TransferStatus } from '@surety/domain';
import { changing } from './change.js';
import type { Change, ChangeOptions } from './change.js';
import { cancelNow, endByDecision, withTransfer } from './driving.js';
import type { Standing } from './driving.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { CliError, EXIT, toJson } from './output.js';

const CANCEL_NOTES = [
  'Decision before release: first `voided` is written to the shard of the destination, after which ' +
    'no credit can happen; then the hold is released at the source. If the destination has decided ' +
    'already, its decision is followed instead: credited is committed, refused is released as ' +
    'rejected. Past a credit there is only forward.',
  'The end carries the reason cancelled_by_client, as for a cancel over HTTP; the actor of its ' +
    'events and the audit log say that it was an operator, which one, and why.',
];

export const CANCEL_JSON = [
  '{ dryRun, transferId, before, decision: credited, refused, voided or null,',
  '  after, reason, cancelled }',
];

export function registerTransferCancel(transfer: Command, { host, exit }: CommandContext): void {
  const cancel = transfer
    .command('cancel')
    .description('ends a transfer as cancelled, unless its destination has decided otherwise')
    .argument('<id>', 'the transactionId of the 202 answer');
  changing(cancel).action(async (id: string, options: ChangeOptions) => {
    exit(await runTransferCancel(host, id, options));
  });
  explained(cancel, {
    notes: CANCEL_NOTES,
    json: CANCEL_JSON,
    exitCodes: {
      '0': 'cancelled, now or before (in a dry run: would be)',
      '1': 'it ended, or will end, otherwise; or there is no such transfer',
      '2': 'the command could not run: repeat it, it is safe to repeat',
    },
    examples: [
      ['surety transfer cancel ID --dry-run', 'what would become of it'],
      ['surety transfer cancel ID --reason "wrong payee, ticket 812"', 'asks, then cancels it'],
    ],
  });
}

async function runTransferCancel(
  host: CliHost,
  text: string,
  options: ChangeOptions,
): Promise<number> {
  return withTransfer(host, { text, options }, async ({ session, standing, change }) => {
    const { id, state } = standing.transfer;
    const outcome = await cancelled(standing, change, async () => {
      await change.confirm(`cancel transfer ${id}, which is ${state}?`);
      return cancelNow(session, id, change);
    });
    return tellCancel(host, { standing, change, outcome });
  });
}

export interface CancelOutcome {
  readonly after: TransferStatus;
  readonly reason: string | null;
}

/** What becomes of it: by `cancel`, or in a dry run and for what has ended, by what stands there. */
export async function cancelled(
  standing: Standing,
  { dryRun }: Change,
  cancel: () => ReturnType<typeof cancelNow>,
): Promise<CancelOutcome> {
  const { transfer } = standing;
  if (isEnded(transfer.state)) return { after: transfer.state, reason: transfer.reason };
  if (dryRun) return { after: endByDecision(standing) ?? 'cancelled', reason: null };
  const result = await cancel();
  switch (result.kind) {
    case 'ended':
      return { after: result.status, reason: result.reason ?? null };
    case 'not_found':
      throw new CliError(`there is no transfer ${transfer.id}`, EXIT.found);
    case 'alarm':
      throw new CliError(
        `transfer ${transfer.id} contradicts its decision (${result.alarm}): nothing was changed ` +
          'at its source, see surety check',
        EXIT.found,
      );
    default:
      return result satisfies never;
  }
}

export function tellCancel(
  host: CliHost,
  told: { readonly standing: Standing; readonly change: Change; readonly outcome: CancelOutcome },
): number {
  const { standing, change, outcome } = told;
  const { id, state: before } = standing.transfer;
  const { after, reason } = outcome;
  const isCancelled = after === 'cancelled';
  const { dryRun } = change;
  const decision = standing.decision?.decision.outcome ?? null;
  if (change.json) {
    const document = { dryRun, transferId: id, before, decision, after, reason };
    host.print(toJson({ ...document, cancelled: isCancelled && !dryRun }));
  } else {
    host.print(cancelText({ id, before, outcome, dryRun }));
  }
  return isCancelled ? EXIT.ok : EXIT.found;
}

function cancelText(told: {
  readonly id: string;
  readonly before: TransferStatus;
  readonly outcome: CancelOutcome;
  readonly dryRun: boolean;
}): string {
  const { id, before, outcome, dryRun } = told;
  const { after } = outcome;
  const why = outcome.reason ? ` (${outcome.reason})` : '';
  if (before === after) return `transfer ${id} is ${after} already${why}: nothing to change`;
  const verb = dryRun ? 'would be' : 'is';
  if (after === 'cancelled') return `transfer ${id} ${verb} cancelled${why} (it was ${before})`;
  return `transfer ${id} cannot be cancelled: its destination has decided, it ${verb} ${after}${why}`;
}
