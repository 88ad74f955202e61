/** Embedded Redis 6.2: one static binary per platform inside one artifact. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cachedEntry } from './binary-cache.mjs';
import { fetchArtifacts } from './maven.mjs';
import { rememberPorts } from './ports.mjs';
import { answersRedis } from './protocol-probe.mjs';
import { leftOverPorts, reachable, startServer } from './server-process.mjs';

const VERSION = '1.4.3';
const BINARIES = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
  'win32-x64': 'redis-server-5.0.14.1-windows-amd64.exe',
};
const START_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 10_000;

/**
 * @param {{ dataDir: string, cacheDir: string, port?: number, password?: string,
 *   log: (line: string) => void }} options
 *   password: that clients have to send; without it none is asked for
 */
export async function startRedis(options) {
  const binary = await redisBinary(options);
  const { password } = options;
  const dataDir = resolve(options.dataDir);
  mkdirSync(join(dataDir, 'data'), { recursive: true, mode: 0o700 });
  const leftOver = leftOverPorts(dataDir);
  const { redis: port } =
    leftOver ?? (await rememberPorts(dataDir, ['redis'], { redis: options.port }));
  // Redis replaces its command line by a title of its own; ours must stay recognisable.
  const marker = `--dir ${join(dataDir, 'data')}`;
  const server = await startServer({
    name: 'Redis',
    dataDir,
    marker,
    command: binary,
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', join(dataDir, 'data')],
      ...['--set-proc-title', 'no', '--save', '300 1', '--maxmemory', '512mb'],
      ...['--maxmemory-policy', 'allkeys-lru'],
      ...(password ? ['--requirepass', password] : []),
    ],
    probe: () => answersRedis(port, password),
    startDeadlineMs: START_DEADLINE_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
    log: options.log,
  });
  const login = password ? `:${encodeURIComponent(password)}@` : '';
  const url = `redis://${login}127.0.0.1:${port}`;
  return reachable(server, { kind: 'redis', url, port });
}

async function redisBinary({ cacheDir, log }) {
  const name = BINARIES[`${process.platform}-${process.arch}`];
  if (!name) throw new Error(`no embedded Redis for ${process.platform}-${process.arch}`);
  const directory = await cachedEntry({
    cacheDir,
    key: `redis-${VERSION}`,
    fill: async (temporary) => {
      const artifact = { group: 'com.github.codemonstur', name: 'embedded-redis' };
      await fetchArtifacts({
        label: 'Redis 6.2',
        artifacts: [{ ...artifact, version: VERSION, alone: true }],
        directory: temporary,
        unpack: true,
        log,
      });
      chmodSync(join(temporary, name), 0o755);
    },
  });
  return join(directory, name);
}
