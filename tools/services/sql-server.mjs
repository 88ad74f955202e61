/** What the embedded MariaDB and MySQL have in common: the root password, a short socket path. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { rememberPorts } from './ports.mjs';
import { rememberPassword, writePrivateFile } from './private-file.mjs';
import { answersMySql } from './protocol-probe.mjs';
import { leftOverPorts, reachable, startServer } from './server-process.mjs';
import { sqlSettings } from './sql-settings.mjs';

const SOCKET_PATH_BYTES_MAX = 100;
const START_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 30_000;

/**
 * @typedef {object} SqlServerOptions
 * @property {string} dataDir
 * @property {string} cacheDir
 * @property {(line: string) => void} log
 * @property {number} [port]
 * @property {number} [bufferPoolMb]
 * @property {ServerTls} [tls] whose certificate clients can verify
 *
 * @typedef {object} ServerTls in PEM
 * @property {string} certificate
 * @property {string} key
 */

/** mysqld and mariadbd refuse to run as root unless told to. */
export const userArguments = () => (process.getuid?.() === 0 ? ['--user=root'] : []);

/**
 * @param {SqlServerOptions & { name: string, kind: 'mariadb' | 'mysql', command: string, env?: NodeJS.ProcessEnv,
 *   args: string[], initialise: (emptyDir: string, temporaryDir: string) => Promise<void> }} options
 *   args: what this kind of server needs besides; they come first on the command line
 */
export async function startSqlServer(options) {
  const { name, kind, command, args, env, initialise, log, bufferPoolMb, tls } = options;
  const dataDir = resolve(options.dataDir);
  const data = join(dataDir, 'data');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const leftOver = leftOverPorts(dataDir);
  const { sql: port } = leftOver ?? (await rememberPorts(dataDir, ['sql'], { sql: options.port }));
  // Not the machine's: at its start a server removes the temporary tables of all others there.
  const temporary = join(dataDir, 'tmp');
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  await initialiseOnce(data, (directory) => initialise(directory, temporary));
  const password = rememberPassword(join(dataDir, 'root-password'));
  const initFile = join(dataDir, 'accounts.sql');
  writePrivateFile(initFile, rootAccounts(password));
  const marker = `--datadir=${data}`;
  const serverArguments = [
    ...args,
    ...userArguments(),
    marker,
    `--tmpdir=${temporary}`,
    `--port=${port}`,
    `--socket=${socketPath(dataDir)}`,
    `--pid-file=${join(dataDir, 'mysqld.pid')}`,
    `--init-file=${initFile}`,
    '--bind-address=127.0.0.1',
    ...tlsArguments(dataDir, tls),
    ...sqlSettings(kind, bufferPoolMb),
  ];
  const server = await startServer({
    name,
    dataDir,
    marker,
    command,
    args: serverArguments,
    env,
    probe: () => answersMySql(port),
    startDeadlineMs: START_DEADLINE_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
    log,
  });
  return reachable(server, { kind, url: `mysql://root:${password}@127.0.0.1:${port}`, port });
}

function tlsArguments(dataDir, tls) {
  if (!tls) return [];
  const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => join(dataDir, name));
  writePrivateFile(certificate, tls.certificate);
  writePrivateFile(key, tls.key);
  return [`--ssl-cert=${certificate}`, `--ssl-key=${key}`];
}

/** Initialised elsewhere and renamed: a data directory is either complete or not there. */
export async function initialiseOnce(data, initialise) {
  if (existsSync(data)) return;
  const parent = join(data, '..');
  for (const name of readdirSync(parent)) {
    if (name.startsWith('data.new-')) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const temporary = `${data}.new-${process.pid}`;
  mkdirSync(temporary, { recursive: true, mode: 0o750 });
  await initialise(temporary);
  renameSync(temporary, data);
}

/** Run by the server at every start, before it listens: there is no moment without a password. */
function rootAccounts(password) {
  const account = "'root'@'127.0.0.1'";
  return [
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY '${password}';`,
    `ALTER USER ${account} IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON *.* TO ${account} WITH GRANT OPTION;`,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';`,
    '',
  ].join('\n');
}

/** A socket's path is limited to about 107 bytes, a deep clone is not. */
function socketPath(dataDir) {
  const inside = join(dataDir, 'mysqld.sock');
  if (Buffer.byteLength(inside) <= SOCKET_PATH_BYTES_MAX) return inside;
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  return join(tmpdir(), `surety-${hash}.sock`);
}
