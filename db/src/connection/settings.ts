import { isIP } from 'node:net';

/** How every connection to a shard is set up, and the bounds that keep one from hanging a process. */

/** A process that is paused in a transaction loses its locks after this long. */
export const WAIT_TIMEOUT_SECONDS = 10;
/** Bounds how long a statement waits for rows that another transaction holds. */
export const LOCK_WAIT_TIMEOUT_SECONDS = 3;
/** Bounds the wait for a server that does not accept connections. */
export const CONNECT_TIMEOUT_MS = 3_000;
/** Bounds the wait for an answer from a server that is hung or half-open. */
export const ANSWER_TIMEOUT_MS = 15_000;
/** Bounds the wait for a free connection of the pool. */
export const ACQUIRE_TIMEOUT_MS = 5_000;
/** Bounds the callers that wait for a connection while the database is slow. */
export const ACQUIRE_QUEUE_MAX = 500;
/** Well below wait_timeout, so that the server never closes a connection the pool still offers. */
export const IDLE_TIMEOUT_MS = 5_000;
export const REAP_INTERVAL_MS = 1_000;

/** TLS as the driver takes it: with the certificate authorities that Node.js trusts. */
export interface TlsSettings {
  readonly minVersion: 'TLSv1.2';
  readonly rejectUnauthorized: true;
  /** The certificate has to be that of the host in the URL; without this any trusted one would do. */
  readonly verifyIdentity: true;
}

export interface DriverSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly charset: string;
  readonly timezone: string;
  readonly supportBigNumbers: true;
  readonly bigNumberStrings: true;
  readonly dateStrings: true;
  readonly multipleStatements: true;
  readonly connectTimeout: number;
  readonly flags: string[];
  /** Absent where the connection is plain. */
  readonly ssl?: TlsSettings;
}

const PORT = 3306;
const SCHEMA_PATH = /^\/\w{1,64}$/;
const TLS: TlsSettings = { minVersion: 'TLSv1.2', rejectUnauthorized: true, verifyIdentity: true };

/**
 * `mysqls:` is the same with TLS, to a host by its name: the driver compares the certificate of an
 * address with `localhost`. What follows a `?` is refused: other clients switch TLS on there, and
 * whoever expects that must not get a plain connection.
 * @throws TypeError where the text is no URL of a schema. The password is never part of a message.
 */
export function driverSettings(shardUrl: string): DriverSettings {
  const url = urlOfSchema(shardUrl);
  if (!url) throw new TypeError(`a shard is given as ${SHARD_URL.form}`);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port ? Number(url.port) : PORT,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    charset: 'utf8mb4',
    timezone: '+00:00',
    // Whole numbers beyond 2^53 and decimals arrive as strings; nothing is ever rounded.
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    multipleStatements: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Affected rows are rows that were changed, not rows that were found.
    flags: ['-FOUND_ROWS'],
    ...(url.protocol === 'mysqls:' ? { ssl: TLS } : {}),
  };
}

/** What `driverSettings` takes, for whoever reads settings and names all their mistakes together. */
export const SHARD_URL = {
  form: 'mysql[s]://user:password@host:port/schema',
  isMet: (text: string): boolean => urlOfSchema(text) !== undefined,
};

function urlOfSchema(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isOurs = url.protocol === 'mysql:' || (url.protocol === 'mysqls:' && !isAddress(url));
  const isWhole = url.hostname !== '' && url.username !== '' && SCHEMA_PATH.test(url.pathname);
  return isOurs && isWhole && url.search === '' ? url : undefined;
}

/** Addresses of version 6 stand in brackets. */
function isAddress({ hostname }: URL): boolean {
  return hostname.startsWith('[') || isIP(hostname) !== 0;
}

/**
 * Strict: what does not fit is an error, never clipped. Without NO_BACKSLASH_ESCAPES, because the
 * driver escapes with backslashes; without ANSI_QUOTES for the same reason.
 */
const SQL_MODE =
  'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

export function sessionStatements(waitTimeoutSeconds: number = WAIT_TIMEOUT_SECONDS): string {
  return [
    `SET SESSION wait_timeout = ${waitTimeoutSeconds},` +
      ` innodb_lock_wait_timeout = ${LOCK_WAIT_TIMEOUT_SECONDS},` +
      ` time_zone = '+00:00', sql_mode = '${SQL_MODE}', autocommit = 1`,
    // Statements are ASCII (literals.ts): a server that need not look for characters of several bytes
    // reads them faster. Literals and results are utf8mb4 as before.
    'SET SESSION character_set_client = latin1',
    // The variable has other names in older engines; this form is understood by all.
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  ].join('; ');
}
