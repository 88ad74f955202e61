/** Real MySQL 9 from Debian's packages, started through the packages' own loader and libraries. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MySqlUnavailableError, mySqlPrefix } from './mysql-packages.mjs';
import { runCommand } from './run-command.mjs';
import { startSqlServer, userArguments } from './sql-server.mjs';

export { MySqlUnavailableError };

/**
 * Rejects with MySqlUnavailableError where the recipe cannot work.
 * @param {import('./sql-server.mjs').SqlServerOptions} options
 */
export async function startMySql(options) {
  const prefix = await mySqlPrefix(options);
  const program = throughOwnLoader(prefix);
  const server = [...program.args, '--no-defaults', `--basedir=${join(prefix, 'usr')}`];
  const files = [
    `--lc-messages-dir=${join(prefix, 'usr', 'share', 'mysql')}`,
    `--character-sets-dir=${join(prefix, 'usr', 'share', 'mysql', 'charsets')}`,
    `--plugin-dir=${join(prefix, 'usr', 'lib', 'mysql', 'plugin')}`,
    '--secure-file-priv=',
  ];
  return startSqlServer({
    ...options,
    name: 'MySQL',
    kind: 'mysql',
    command: program.command,
    args: [
      ...server,
      ...files,
      // Threads that hand log writes to each other pay off on machines with many cores.
      '--innodb-log-writer-threads=OFF',
    ],
    initialise: (directory, temporary) =>
      runCommand(program.command, [
        ...server,
        ...files,
        ...userArguments(),
        `--datadir=${directory}`,
        `--tmpdir=${temporary}`,
        '--initialize-insecure',
      ]),
  });
}

/** The machine's C library may be older than the one that the packages were built for. */
function throughOwnLoader(prefix) {
  const loader = join(prefix, 'usr', 'lib64', 'ld-linux-x86-64.so.2');
  if (!existsSync(loader)) {
    throw new MySqlUnavailableError('the packages do not contain the loader ld-linux-x86-64.so.2');
  }
  const libraries = join(prefix, 'usr', 'lib', 'x86_64-linux-gnu');
  const folders = readdirSync(libraries)
    .map((name) => join(libraries, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
  const libraryPath = [libraries, ...folders].join(':');
  const mysqld = join(prefix, 'usr', 'sbin', 'mysqld');
  return { command: loader, args: ['--library-path', libraryPath, mysqld] };
}
