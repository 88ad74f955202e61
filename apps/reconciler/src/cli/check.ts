import { Option } from 'commander';
import type { Command } from 'commander';
import { checkSystem } from '../checks/check-system.js';
import { CHECK_NAMES } from '../checks/run-checks.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption } from './options.js';
import { EXIT, toJson } from './output.js';
import { printCheckRun } from './print-checks.js';
import { withShards } from './session.js';

interface CheckCommandOptions {
  readonly json: boolean;
  readonly full: boolean;
  readonly only: readonly string[];
}

export function registerCheck(program: Command, { host, exit }: CommandContext): void {
  const check = program
    .command('check')
    .description('proves every promise over all shards at one instant; names what breaks one')
    .option('--full', 'everything that ever happened, not only what is new', false)
    .addOption(
      new Option('--only <names...>', 'only these checks, over everything')
        .choices(CHECK_NAMES)
        .default([], 'all'),
    )
    .addOption(jsonOption())
    .action(async (options: CheckCommandOptions) => {
      exit(await runCheck(host, options));
    });
  explained(check, {
    notes: [
      'Without --full it looks at what has happened since the verified point, the last instant at ' +
        'which all checks held, and at everything that is open: seconds, however long the history. ' +
        'Where all checks hold, the instant becomes the verified point; where there is none yet, ' +
        'everything is looked at.',
      'Only --full looks at idempotency keys and at what was verified before: a row that was altered ' +
        'there is also named by surety verify.',
      'Writers are held up for a moment while the instant is taken, not while the checks run.',
    ],
    json: [
      '{ ok, form: "since" | "full", since, at, isVerified, lastFull: { at, findings } | null, ms,',
      '  checks: [{ check, promise, ok, rowsChecked, notes, ms, isCut,',
      '             findings: [{ shard, key, problem, detail }] }] }',
    ],
    exitCodes: {
      '0': 'all promises are kept',
      '1': 'at least one is broken',
      '2': 'the checks could not run: nothing is known',
    },
    examples: [
      ['surety check', 'what has happened since the last check that held'],
      ['surety check --full', 'everything'],
      ['surety check --only conservation balances', 'two of the checks, over everything'],
      ["surety check --json | jq '.checks[] | select(.ok | not)'", 'the broken ones, for machines'],
    ],
  });
}

/** All promises over all shards at one instant. */
function runCheck(host: CliHost, { json, full, only }: CheckCommandOptions): Promise<number> {
  return withShards(host, async ({ pools }) => {
    const run = await checkSystem(pools, { form: full ? 'full' : 'since', only });
    const { results, ...about } = run;
    host.print(json ? toJson({ ...about, checks: results }) : printCheckRun(run));
    return run.ok ? EXIT.ok : EXIT.found;
  });
}
