import { Argument } from 'commander';
import type { Command } from 'commander';
import { ROLES, SHARD_URL, grantStatements } from '@surety/db';
import type { DatabaseUser, Role } from '@surety/db';
import { parseEnvironment, settings } from '@surety/runtime';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption } from './options.js';
import { CliError, EXIT, toJson } from './output.js';
import { withRunningSystem } from './system-file.js';

interface GrantsOptions extends DatabaseUser {
  readonly schema?: readonly string[];
  readonly json: boolean;
}

export function registerGrants(program: Command, { host, exit }: CommandContext): void {
  const grants = program
    .command('grants')
    .description('the GRANT statements that give a database user what one role needs')
    .addArgument(new Argument('<role>', 'who the user is for').choices(ROLES))
    .requiredOption('--user <name>', 'the name of the database user')
    .option('--host <pattern>', 'where the user may come from, as the server knows it', '%')
    .option('--schema <names...>', 'the schemas of the shards (default: those of SURETY_SHARDS)')
    .addOption(jsonOption())
    .action((role: Role, options: GrantsOptions) => {
      exit(runGrants(host, role, options));
    });
  explained(grants, {
    notes: [
      'Prints statements and connects to nothing: an administrator of the database runs them on the ' +
        'server of each shard. The user must be there; no password is asked for or printed. The ' +
        'tables must be there, too, but for the migrator, who makes them.',
      'They give one process, the operator or the migration what its statements need. Nobody is ' +
        'given the right to change or to remove an event, a decision, a leg of the ledger, a seal or ' +
        'a line of the audit log. Grants add up: a user who has more keeps it, so take a new one.',
      'Print and run them again for each release, after its migration: it may have new tables.',
    ],
    json: ['{ role, user, host, shards: [{ schema, statements: [GRANT …] }] }'],
    exitCodes: {
      '0': 'printed',
      '1': 'never',
      '2': 'called wrongly, or no schema is known',
    },
    examples: [
      ['surety grants workers --user surety_workers --host "10.0.%"', 'to look at'],
      ['surety grants relay --user surety_relay --schema surety_0 | mysql', 'to apply'],
    ],
  });
}

function runGrants(out: CliHost, role: Role, options: GrantsOptions): number {
  const { user, host, json } = options;
  const schemas = options.schema ?? schemasOf(out);
  const shards = [...new Set(schemas)].map((schema) => ({
    schema,
    statements: statementsFor(role, { user, host }, schema),
  }));
  if (json) {
    out.print(toJson({ role, user, host, shards }));
  } else {
    const lines = shards.flatMap(({ statements }) => statements);
    out.print(lines.map((line) => `${line};`).join('\n'));
  }
  return EXIT.ok;
}

function statementsFor(role: Role, user: DatabaseUser, schema: string): readonly string[] {
  try {
    return grantStatements(role, user, schema);
  } catch (error) {
    if (error instanceof TypeError) throw new CliError(error.message);
    throw error;
  }
}

/** @throws CliError, ConfigurationError */
function schemasOf({ environment, directory }: CliHost): readonly string[] {
  const found = withRunningSystem(environment, directory);
  if (!found['SURETY_SHARDS']) {
    throw new CliError('no schema is known here: name them with --schema, or set SURETY_SHARDS');
  }
  const { SURETY_SHARDS: urls } = parseEnvironment(
    { SURETY_SHARDS: settings.shards(SHARD_URL) },
    found,
  );
  return urls.map((url) => new URL(url).pathname.slice(1));
}
