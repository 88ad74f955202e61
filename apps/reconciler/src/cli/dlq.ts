import type { Command } from 'commander';
import { registerDlqHandling } from './dlq-handle.js';
import { registerDlqList } from './dlq-list.js';
import { registerDlqShow } from './dlq-show.js';
import type { CommandContext } from './host.js';

export function registerDlq(program: Command, context: CommandContext): void {
  const dlq = program.command('dlq').description('messages that were given up for their own sake');
  registerDlqList(dlq, context);
  registerDlqShow(dlq, context);
  registerDlqHandling(dlq, context);
}
