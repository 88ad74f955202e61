/**
 * Schemas and users of the shards. Processes get a user that can change rows and nothing else;
 * only the migration's user may change tables. Needs the installed npm packages.
 */
import { join } from 'node:path';
import { rememberPassword } from './private-file.mjs';

const ROW_RIGHTS = 'SELECT, INSERT, UPDATE, DELETE';
const TABLE_RIGHTS = `${ROW_RIGHTS}, CREATE, ALTER, DROP, INDEX, REFERENCES, LOCK TABLES`;

/**
 * Idempotent: run at every start.
 * @param {{ adminUrl: string, shards: number, prefix: string, secretsDir: string }} options
 * @returns {Promise<{ shardUrls: string[], migrationUrls: string[] }>}
 */
export async function provisionShards({ adminUrl, shards, prefix, secretsDir }) {
  const { createConnection } = await import('mysql2/promise');
  const users = ['app', 'migration'].map((role) => ({
    name: `${prefix}_${role}`,
    password: rememberPassword(join(secretsDir, `${prefix}-${role}-password`)),
    rights: role === 'app' ? ROW_RIGHTS : TABLE_RIGHTS,
  }));
  const schemas = Array.from({ length: shards }, (_, index) => `${prefix}_${index}`);
  const connection = await createConnection(adminUrl);
  try {
    for (const statement of statementsFor(users, schemas)) await connection.query(statement);
  } finally {
    await connection.end();
  }
  const [shardUrls, migrationUrls] = users.map((user) =>
    schemas.map((schema) => urlFor(adminUrl, user, schema)),
  );
  return { shardUrls, migrationUrls };
}

function* statementsFor(users, schemas) {
  for (const schema of schemas) {
    yield `CREATE DATABASE IF NOT EXISTS \`${schema}\` CHARACTER SET utf8mb4`;
  }
  for (const { name, password, rights } of users) {
    // Seen through a container's port forwarding, a client is not 127.0.0.1.
    const user = `'${name}'@'%'`;
    yield `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${password}'`;
    yield `ALTER USER ${user} IDENTIFIED BY '${password}'`;
    for (const schema of schemas) {
      // In a grant, _ stands for any character.
      yield `GRANT ${rights} ON \`${schema.replaceAll('_', '\\_')}\`.* TO ${user}`;
    }
  }
}

function urlFor(adminUrl, user, schema) {
  const url = new URL(adminUrl);
  url.username = user.name;
  url.password = user.password;
  url.pathname = `/${schema}`;
  return url.href;
}

/**
 * Waits until a server takes connections with this password: a container's first start answers
 * before its users exist.
 */
export async function untilMySqlAccepts(url, deadlineMs = 90_000) {
  const { createConnection } = await import('mysql2/promise');
  const until = Date.now() + deadlineMs;
  for (;;) {
    try {
      const connection = await createConnection(url);
      return await connection.end();
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}
