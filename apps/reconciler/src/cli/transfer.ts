import type { Command } from 'commander';
import type { CommandContext } from './host.js';
import { registerTransferCancel } from './transfer-cancel.js';
import { registerTransferRetry } from './transfer-retry.js';
import { registerTransferShow } from './transfer-show.js';

export function registerTransfer(program: Command, context: CommandContext): void {
  const transfer = program.command('transfer').description('single transfers');
  registerTransferShow(transfer, context);
  registerTransferRetry(transfer, context);
  registerTransferCancel(transfer, context);
}
