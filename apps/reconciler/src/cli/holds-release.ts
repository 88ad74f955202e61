import type { Command } from 'commander';
import { findHold } from '@surety/db';
import { amountText } from './amount-text.js';
import { changing } from './change.js';
import type { ChangeOptions } from './change.js';
import { cancelNow, withTransfer } from './driving.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { CliError, EXIT } from './output.js';
import { CANCEL_JSON, cancelled, tellCancel } from './transfer-cancel.js';

export function registerHoldsRelease(holds: Command, { host, exit }: CommandContext): void {
  const release = holds
    .command('release')
    .description('gives held money back to what is available, through the decision')
    .argument('<transferId>', 'the transfer that holds it, as holds list shows it');
  changing(release).action(async (id: string, options: ChangeOptions) => {
    exit(await runHoldsRelease(host, id, options));
  });
  explained(release, {
    notes: [
      'A hold is never released around its destination. First `voided` is written there, after which ' +
        'no credit can happen; then the hold is released and the transfer is cancelled. If the ' +
        'destination has credited already, the hold is not released but committed: the state that ' +
        'won is said, and the exit code is 1. While the shard of the destination is away, the hold ' +
        'stays (exit code 2).',
      'There is no need to wait for the expiry of the hold, and no need for this command after it: ' +
        'expired holds are released by the reconciler in the same way.',
    ],
    json: CANCEL_JSON,
    exitCodes: {
      '0': 'released (in a dry run: would be)',
      '1': 'not released: there is no such hold, or the destination has decided otherwise',
      '2': 'the command could not run: the hold stays, repeat it',
    },
    examples: [
      ['surety holds release ID --dry-run', 'whether it would be released'],
      ['surety holds release ID --reason "merchant closed"', 'asks, then releases it'],
    ],
  });
}

async function runHoldsRelease(
  host: CliHost,
  text: string,
  options: ChangeOptions,
): Promise<number> {
  return withTransfer(host, { text, options }, async ({ session, standing, change }) => {
    const { source, transfer } = standing;
    const { id } = transfer;
    const hold = await findHold(source, id);
    if (!hold) {
      throw new CliError(`transfer ${id} holds nothing: it is ${transfer.state}`, EXIT.found);
    }
    const outcome = await cancelled(standing, change, async () => {
      const amount = amountText(hold.amountMinor, transfer.currency, session.currencies);
      await change.confirm(`release ${amount} that transfer ${id} holds on ${hold.account}?`);
      return cancelNow(session, id, change);
    });
    return tellCancel(host, { standing, change, outcome });
  });
}
