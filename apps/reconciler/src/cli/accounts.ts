import type { Command } from 'commander';
import { registerAccountFreeze } from './account-freeze.js';
import { registerAccountShow } from './account-show.js';
import type { CommandContext } from './host.js';

export function registerAccounts(program: Command, context: CommandContext): void {
  const accounts = program.command('accounts').description('single accounts');
  registerAccountShow(accounts, context);
  registerAccountFreeze(accounts, context);
}
