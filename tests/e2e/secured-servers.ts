import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLES } from '@surety/db';
import type { Role } from '@surety/db';
import { runCli } from '@surety/reconciler';
import { TestAuthority } from '@surety/testing/certificates';
import {
  KAFKA_SERVER,
  REDIS_SERVER,
  freePort,
  keyStore,
  runProgram,
  saslMechanisms,
} from '@surety/testing/system';
import type { Backing, BackingPlace, CommandResult, ServerKind } from '@surety/testing/system';
import { createConnection } from 'mysql2/promise';

const SCHEMAS = ['surety_0', 'surety_1'];
const LISTENER = 'CLIENTS';
const MECHANISM = 'SCRAM-SHA-512';
const KAFKA_USER = 'surety';

/** Servers that let in only who is known, and what their operator has seen while setting them up. */
export interface SecuredServers {
  readonly backing: Backing;
  /** The part of each password that is the same in every spelling of it. */
  readonly secrets: readonly string[];
  /** What the commands said that made users, tables and topics. */
  readonly commands: readonly CommandResult[];
  /** Makes tables and topics, with these settings instead of the right ones. */
  migrate(settings?: Readonly<Record<string, string>>): Promise<CommandResult>;
}

interface Password {
  readonly secret: string;
  readonly text: string;
}

/** With what has a meaning in a URL or in SQL. */
function newPassword(): Password {
  const secret = randomBytes(12).toString('hex');
  return { secret, text: `@:/?#%41'"${secret}` };
}

type Environment = Readonly<Record<string, string>>;

/**
 * A broker of two listeners, the clients' one SASL_SSL; databases that speak TLS and whose users have
 * to; Redis with a password. Two authorities that nobody else trusts: one for Kafka, one for the shards.
 */
export async function startSecuredServers(place: BackingPlace): Promise<SecuredServers> {
  const [kafka, redis, shards] = await Promise.all([
    startKafka(place),
    startRedis(place),
    startShards(place),
  ]);
  const commands: CommandResult[] = [];
  const migrate = async (settings: Environment = {}): Promise<CommandResult> => {
    const environment = {
      SURETY_MIGRATION_SHARDS: shards.urlsOf('migrator').join(','),
      ...{ ...shards.environment, ...kafka.environment, ...settings },
    };
    const { repositoryRoot, directory } = place;
    const program = join(repositoryRoot, 'docker/migrate.mjs');
    const result = await runProgram([program], { environment, directory });
    commands.push(result);
    return result;
  };
  await shards.grant(['migrator']);
  const { exitCode, stderr } = await migrate();
  if (exitCode !== 0) throw new Error(`the migration failed: ${stderr}`);
  await shards.grant(ROLES.filter((role) => role !== 'migrator'));
  const servers = {
    shardUrls: shards.plainUrls,
    migrationUrls: shards.urlsOf('migrator'),
    adminUrls: [shards.adminUrl],
    broker: kafka.broker,
    kafkaVersion: kafka.version,
    redisUrl: redis.url,
  };
  const backing: Backing = {
    servers: { ...servers, reached: { ...servers, shardUrls: shards.urlsOf('operator') } },
    environmentOf: (name) => ({
      SURETY_SHARDS: shards.urlsOf(name).join(','),
      SURETY_REDIS_URL: redis.url,
      ...{ ...shards.environment, ...kafka.environment },
    }),
  };
  const secrets = [kafka.secret, redis.secret, ...shards.secrets];
  return { backing, secrets, commands, migrate };
}

async function startKafka({ control, directory }: BackingPlace) {
  const authority = new TestAuthority('Authority of the brokers');
  const trusted = fileWith(join(directory, 'kafka-authority.pem'), authority.certificate);
  // Commas, brackets and quotes mean something to the tool that makes the user.
  const secret = randomBytes(12).toString('hex');
  const password = `@:/?#%41${secret}`;
  const port = await freePort();
  const { url, version = '' } = await control.start('kafka', KAFKA_SERVER, {
    securedListeners: [
      {
        ...{ name: LISTENER, port, protocol: 'SASL_SSL' },
        settings: {
          ...keyStore(authority.issue('broker', ['127.0.0.1'])),
          ...saslMechanisms([MECHANISM]),
        },
      },
    ],
    scramUsers: [{ mechanism: MECHANISM, name: KAFKA_USER, password }],
  });
  const environment = {
    SURETY_KAFKA_BROKERS: `127.0.0.1:${port}`,
    SURETY_KAFKA_TLS: 'on',
    SURETY_KAFKA_TLS_CA: trusted,
    SURETY_KAFKA_SASL: MECHANISM.toLowerCase(),
    SURETY_KAFKA_USERNAME: KAFKA_USER,
    SURETY_KAFKA_PASSWORD: password,
  };
  return { broker: url, version, secret, environment };
}

async function startRedis({ control }: BackingPlace) {
  const { secret, text: password } = newPassword();
  const { url } = await control.start('redis', REDIS_SERVER, { password });
  return { url, secret };
}

async function startShards({ control, directory }: BackingPlace) {
  const authority = new TestAuthority('Authority of the shards');
  const trusted = fileWith(join(directory, 'shards-authority.pem'), authority.certificate);
  const engine = (process.env['SURETY_TEST_MYSQL_ENGINE'] ?? 'mariadb') as ServerKind;
  const tls = authority.issue('shards', ['localhost']);
  const { url: adminUrl } = await control.start(engine, 'shards', { tls });
  const passwords = new Map(ROLES.map((role) => [role, newPassword()]));
  const nameOf = (role: Role): string => `surety_${role}`;
  const textOf = (role: Role): string => passwords.get(role)?.text ?? '';
  const administer = async (statements: readonly (readonly [string, string[]])[]) => {
    const connection = await createConnection(adminUrl);
    try {
      for (const [statement, values] of statements) await connection.query(statement, values);
    } finally {
      await connection.end();
    }
  };
  const created = ROLES.map((role): [string, string[]] => [
    "CREATE USER ?@'%' IDENTIFIED BY ? REQUIRE SSL",
    [nameOf(role), textOf(role)],
  ]);
  await administer([
    ...SCHEMAS.map((schema): [string, string[]] => [`CREATE DATABASE ${schema}`, []]),
    ...created,
  ]);
  const grant = async (roles: readonly Role[]): Promise<void> => {
    const printed = await Promise.all(roles.map((role) => printedGrants(role, nameOf(role))));
    await administer(printed.flat().map((statement) => [statement, []]));
  };
  const urlsOf = (role: Role): string[] => {
    const { port } = new URL(adminUrl);
    const user = `${nameOf(role)}:${encodeURIComponent(textOf(role))}`;
    return SCHEMAS.map((schema) => `mysqls://${user}@localhost:${port}/${schema}`);
  };
  return {
    ...{ adminUrl, grant, urlsOf },
    plainUrls: SCHEMAS.map((schema) => Object.assign(new URL(adminUrl), { pathname: schema }).href),
    secrets: [...passwords.values()].map(({ secret }) => secret),
    environment: { NODE_EXTRA_CA_CERTS: trusted },
  };
}

/** What `surety grants` prints, statement by statement. */
async function printedGrants(role: Role, user: string): Promise<string[]> {
  const printed: string[] = [];
  const args = ['grants', role, '--user', user, '--schema', ...SCHEMAS];
  const print = (text: string): void => void printed.push(text);
  const host = { environment: {}, directory: '/nowhere', print, printError: print };
  const exitCode = await runCli(args, host);
  const text = printed.join('\n');
  if (exitCode !== 0) throw new Error(`no grants were printed: ${text}`);
  return text.split(';').filter((statement) => statement.trim() !== '');
}

function fileWith(file: string, text: string): string {
  writeFileSync(file, text);
  return file;
}
