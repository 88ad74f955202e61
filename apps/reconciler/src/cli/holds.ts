import type { Command } from 'commander';
import { registerHoldsList } from './holds-list.js';
import { registerHoldsRelease } from './holds-release.js';
import type { CommandContext } from './host.js';

export function registerHolds(program: Command, context: CommandContext): void {
  const holds = program.command('holds').description('money that is promised and not yet moved');
  registerHoldsList(holds, context);
  registerHoldsRelease(holds, context);
}
