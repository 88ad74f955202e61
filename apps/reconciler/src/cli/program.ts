import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ConfigurationError, errorLine } from '@surety/runtime';
import { registerAccounts } from './accounts.js';
import { registerAudit } from './audit.js';
import { registerCheck } from './check.js';
import { registerDlq } from './dlq.js';
import { registerExternal } from './external.js';
import { registerGrants } from './grants.js';
import { registerHolds } from './holds.js';
import type { CliHost, CommandContext } from './host.js';
import { CliError, EXIT } from './output.js';
import { registerProjections } from './projections.js';
import { registerReconcile } from './reconcile.js';
import { registerStatus } from './status.js';
import { registerTransfer } from './transfer.js';
import { registerVerify } from './verify.js';

/** Every group of commands, in the order of `surety --help`. */
const GROUPS: readonly ((program: Command, context: CommandContext) => void)[] = [
  registerStatus,
  registerCheck,
  registerVerify,
  registerTransfer,
  registerHolds,
  registerAccounts,
  registerReconcile,
  registerDlq,
  registerProjections,
  registerAudit,
  registerExternal,
  registerGrants,
];

const PROGRAM_HELP = `
Where the system is:
  Inside the repository, the system that \`npm start\` keeps running is found by itself, through
  .surety/system.json in this directory or one above. SURETY_SHARDS in the environment wins:
  mysql[s]://user:password@host:port/schema, comma separated, in shard order.

Changes:
  Every command that changes something takes --reason, --operator, --dry-run and --yes. It asks for
  a missing reason and asks once more before it changes anything; without a terminal it changes
  nothing unless --yes and --reason are given. What was changed stands in the audit log with the
  operator's name and reason, written in the same transaction (surety audit list).

Exit codes:
  0  done, nothing is wrong
  1  something was found, was refused, or does not exist
  2  the command could not run, or was called wrongly

\`surety <command> --help\` explains each command, with examples.
`;

/**
 * Runs one command line (without the program's own name) and answers with its exit code. Failures
 * become one clear line; nothing is thrown.
 */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram({
    host,
    exit: (code) => {
      exitCode = code;
    },
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

function buildProgram(context: CommandContext): Command {
  const { host } = context;
  const program = new Command('surety');
  program
    .description('Looks into a running Surety system, proves its promises and repairs what stands.')
    .addHelpText('after', PROGRAM_HELP)
    .version(packageVersion(), '--version', 'the version of this command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        host.print(text.trimEnd());
      },
      writeErr: (text) => {
        host.printError(text.trimEnd());
      },
    });
  for (const register of GROUPS) register(program, context);
  // Many type it as a word; without this they would be asked whether they meant to verify.
  program.command('version', { hidden: true }).action(() => {
    host.print(packageVersion());
  });
  program
    .command('help [command...]')
    .description('display help for command')
    .action((words: readonly string[]) => {
      commandOf(program, words).outputHelp();
    });
  nameHelpAfterErrors(program, program.name());
  return program;
}

/** Commander's own `help` reads the first word alone: of `accounts freeze` it would tell `accounts`. */
function commandOf(program: Command, words: readonly string[]): Command {
  return words.reduce<Command>((group, word) => {
    const command = group.commands.find((one) => one.name() === word);
    return command ?? group.error(`error: unknown command '${word}'`);
  }, program);
}

/** Each command names its own help: the program's says nothing of the options of one. */
function nameHelpAfterErrors(command: Command, path: string): void {
  const isGroup = command.commands.length > 0;
  command.showHelpAfterError(`(${path} --help says what ${isGroup ? 'there is' : 'it takes'})`);
  for (const one of command.commands) nameHelpAfterErrors(one, `${path} ${one.name()}`);
}

/** The manifest lies two folders above this file, in the sources and in what is built from them. */
function packageVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
