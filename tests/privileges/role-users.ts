import { randomBytes } from 'node:crypto';
import { ROLES, grantStatements } from '@surety/db';
import type { Role } from '@surety/db';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';

const HOST = '%';

/** One database user for each role, with what the role is granted and nothing besides. */
export interface RoleUsers {
  /** The shards, as this role comes to them. */
  urls(role: Role): readonly string[];
  /** A connection of the server's administrator, for what nobody else may do. */
  readonly admin: Connection;
  /** Grants to `urls` are of these names. */
  nameOf(role: Role): string;
  drop(): Promise<void>;
}

/** @param urls of the schemas, for a user who may do anything; any of them names the server */
export async function createRoleUsers(
  adminUrl: string,
  urls: readonly string[],
  roles: readonly Role[] = ROLES,
): Promise<RoleUsers> {
  const prefix = `p_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  const admin = await createConnection(adminUrl);
  const nameOf = (role: Role): string => `${prefix}_${role}`;
  const drop = async (): Promise<void> => {
    for (const role of roles) await admin.query(`DROP USER IF EXISTS '${nameOf(role)}'@'${HOST}'`);
    await admin.end();
  };
  try {
    for (const role of roles) {
      const user = nameOf(role);
      await admin.query(`CREATE USER '${user}'@'${HOST}' IDENTIFIED BY '${password}'`);
      const schemas = urls.map((url) => new URL(url).pathname.slice(1));
      const grants = schemas.flatMap((schema) =>
        grantStatements(role, { user, host: HOST }, schema),
      );
      for (const grant of grants) await admin.query(grant);
    }
  } catch (error) {
    await drop();
    throw error;
  }
  const asRole = (url: string, role: Role): string =>
    Object.assign(new URL(url), { username: nameOf(role), password }).href;
  return { admin, nameOf, drop, urls: (role) => urls.map((url) => asRole(url, role)) };
}
