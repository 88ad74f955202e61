import { Command, CommanderError, Option } from 'commander';
import { ConfigurationError } from '@surety/runtime';
import { CHECK_NAMES } from '../checks/run-checks.js';
import { runCheck } from './check.js';
import { runHoldsList } from './holds.js';
import { CliError, EXIT, errorLine } from './output.js';
import type { Output } from './output.js';
import { runReconcile } from './reconcile.js';
import { runTransferShow } from './transfer.js';

/** What a command is run with: the caller's environment and place, and where to write. */
export interface CliHost extends Output {
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
}

const ENVIRONMENT_HELP = `
Where the system is:
  Inside the repository, the system that \`npm start\` keeps running is found by itself, through
  .surety/system.json in this directory or one above. SURETY_SHARDS in the environment wins:
  mysql://user:password@host:port/schema, comma separated, in shard order.

Exit codes:
  0  done, nothing is wrong
  1  something is broken, or what was asked for does not exist
  2  the command could not run, or was called wrongly
`;

/**
 * Runs one command line (without the program's own name) and answers with its exit code. Failures
 * become one clear line; nothing is thrown.
 */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(host, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    return failureCode(error, host);
  }
}

function failureCode(error: unknown, host: CliHost): number {
  if (error instanceof CommanderError) {
    // Commander has printed its line already. Asking for help is no mistake.
    return error.exitCode === 0 ? EXIT.ok : EXIT.failed;
  }
  if (error instanceof ConfigurationError) {
    host.printError('the environment is not usable:');
    for (const mistake of error.mistakes) host.printError(`  ${mistake}`);
    return EXIT.failed;
  }
  host.printError(`surety: ${errorLine(error)}`);
  return error instanceof CliError ? error.exitCode : EXIT.failed;
}

type SetExitCode = (code: number) => void;

function buildProgram(host: CliHost, exit: SetExitCode): Command {
  const program = new Command('surety');
  program
    .description('Looks into a running Surety system, proves its promises and repairs what stands.')
    .addHelpText('after', ENVIRONMENT_HELP)
    .exitOverride()
    .showHelpAfterError('(surety --help says what there is)')
    .configureOutput({
      writeOut: (text) => {
        host.print(text.trimEnd());
      },
      writeErr: (text) => {
        host.printError(text.trimEnd());
      },
    });
  addCheck(program, host, exit);
  addTransfer(program, host, exit);
  addHolds(program, host, exit);
  addReconcile(program, host, exit);
  return program;
}

function jsonOption(): Option {
  return new Option('--json', 'one JSON document for machines instead of tables').default(false);
}

function addCheck(program: Command, host: CliHost, exit: SetExitCode): void {
  program
    .command('check')
    .description(
      'proves every promise over all shards at one instant; names the rows that break one',
    )
    .addOption(jsonOption())
    .addOption(
      new Option('--only <names...>', 'only these checks').choices(CHECK_NAMES).default([], 'all'),
    )
    .addHelpText(
      'after',
      `
Exit code 0: all promises kept; 1: at least one is broken; 2: could not run, nothing is known.
Writers are held up for a moment while the instant is taken, not while the checks run.

Examples:
  surety check
  surety check --only conservation balances
  surety check --json | jq '.checks[] | select(.ok | not)'
`,
    )
    .action(async (options: { json: boolean; only: string[] }) => {
      exit(await runCheck(host, options));
    });
}

function addTransfer(program: Command, host: CliHost, exit: SetExitCode): void {
  const transfer = program.command('transfer').description('single transfers');
  transfer
    .command('show')
    .description('the whole life of a transfer, from both shards')
    .argument('<id>', 'the transactionId of the 202 answer')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Events come in the order of their times; +ms counts from the request. Each shard has its own clock.

Examples:
  surety transfer show 01890a5d-ac96-774b-bcce-b302099a8057
  surety transfer show 01890a5d-ac96-774b-bcce-b302099a8057 --json | jq .events
`,
    )
    .action(async (id: string, options: { json: boolean }) => {
      exit(await runTransferShow(host, id, options));
    });
}

function addHolds(program: Command, host: CliHost, exit: SetExitCode): void {
  const holds = program.command('holds').description('money that is promised and not yet moved');
  holds
    .command('list')
    .description('open holds of all shards, those that expire first on top')
    .option('--orphaned', 'only those that have expired already', false)
    .addOption(
      new Option('--limit <n>', 'at most so many per shard').argParser(positive).default(100),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  surety holds list
  surety holds list --orphaned --json | jq length
`,
    )
    .action(async (options: { json: boolean; orphaned: boolean; limit: number }) => {
      exit(await runHoldsList(host, options));
    });
}

const LIMIT_MAX = 10_000;

function positive(text: string): number {
  const value = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > LIMIT_MAX) {
    throw new CliError(`--limit is a whole number from 1 to ${LIMIT_MAX}`);
  }
  return value;
}

function addReconcile(program: Command, host: CliHost, exit: SetExitCode): void {
  const reconcile = program
    .command('reconcile')
    .description('drives on what stands still, with the steps of the saga');
  reconcile
    .command('run')
    .description('all sweeps over all shards, once from end to end, now')
    .option('--dry-run', 'say what would be done and write nothing', false)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Works beside a running reconciler and beside the workers: every repair is a step that takes effect
once, whoever takes it. Exit code 1: something could not be put right, and says why.

Examples:
  surety reconcile run --dry-run
  surety reconcile run --json
`,
    )
    .action(async (options: { json: boolean; dryRun: boolean }) => {
      exit(await runReconcile(host, options));
    });
}
