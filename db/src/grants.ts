import { MIGRATOR_PRIVILEGES, PRIVILEGES } from './privileges.js';
import type { Role } from './privileges.js';

/** A database user, as `'user'@'host'`; the host may be a pattern of the server, such as `10.0.%`. */
export interface DatabaseUser {
  readonly user: string;
  readonly host: string;
}

const USER = /^[A-Za-z0-9_.-]{1,32}$/;
const HOST = /^[A-Za-z0-9_.:%/-]{1,255}$/;
const SCHEMA = /^[A-Za-z0-9_$-]{1,64}$/;

/**
 * The statements that give a user what a role needs in one schema, and nothing else. They make no user
 * and carry no password; they add to what the user has and take nothing away. Tables must be there:
 * the servers refuse a grant on one that is not.
 * @throws TypeError for a name that would need quoting
 */
export function grantStatements(
  role: Role,
  { user, host }: DatabaseUser,
  schema: string,
): readonly string[] {
  const account = `'${plain('user', user, USER)}'@'${plain('host', host, HOST)}'`;
  plain('schema', schema, SCHEMA);
  if (role === 'migrator') {
    // Here, and nowhere else, _ stands for any character.
    const pattern = schema.replaceAll('_', '\\_');
    return [`GRANT ${MIGRATOR_PRIVILEGES} ON \`${pattern}\`.* TO ${account}`];
  }
  return Object.entries(PRIVILEGES).flatMap(([table, { [role]: privileges }]) =>
    privileges ? [`GRANT ${privileges} ON \`${schema}\`.\`${table}\` TO ${account}`] : [],
  );
}

function plain(what: string, name: string, form: RegExp): string {
  if (form.test(name)) return name;
  throw new TypeError(`${JSON.stringify(name)} is no ${what} that a grant can name`);
}
