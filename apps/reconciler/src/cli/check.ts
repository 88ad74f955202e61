import { Option } from 'commander';
import type { Command } from 'commander';
import { CHECK_NAMES, runChecks } from '../checks/run-checks.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption } from './options.js';
import { EXIT, toJson } from './output.js';
import { printChecks } from './print-checks.js';
import { withShards } from './session.js';

export function registerCheck(program: Command, { host, exit }: CommandContext): void {
  const check = program
    .command('check')
    .description(
      'proves every promise over all shards at one instant; names the rows that break one',
    )
    .addOption(
      new Option('--only <names...>', 'only these checks').choices(CHECK_NAMES).default([], 'all'),
    )
    .addOption(jsonOption())
    .action(async (options: { json: boolean; only: string[] }) => {
      exit(await runCheck(host, options));
    });
  explained(check, {
    notes: [
      'Writers are held up for a moment while the instant is taken, not while the checks run.',
    ],
    json: ['{ ok, checks: [{ check, promise, ok, rowsChecked, ms, findings: [...] }] }'],
    exitCodes: {
      '0': 'all promises are kept',
      '1': 'at least one is broken',
      '2': 'the checks could not run: nothing is known',
    },
    examples: [
      ['surety check', 'every promise'],
      ['surety check --only conservation balances', 'two of them'],
      ["surety check --json | jq '.checks[] | select(.ok | not)'", 'the broken ones, for machines'],
    ],
  });
}

/** All promises over all shards at one instant. */
async function runCheck(
  host: CliHost,
  options: { readonly json: boolean; readonly only: readonly string[] },
): Promise<number> {
  return withShards(host, async ({ pools }) => {
    const checks = await runChecks(pools, { only: options.only });
    const ok = checks.every((result) => result.ok);
    host.print(options.json ? toJson({ ok, checks }) : printChecks(checks));
    return ok ? EXIT.ok : EXIT.found;
  });
}
