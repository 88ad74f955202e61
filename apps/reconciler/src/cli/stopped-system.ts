import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorLine } from '@surety/runtime';
import type { CliHost } from './host.js';
import { CliError } from './output.js';
import { readSystemFile } from './system-file.js';

const LAUNCHER = 'launcher.json';
/**
 * What `npm start` leaves behind when it ends: the number of shards, or, on servers of somebody
 * else, logs alone. A launcher that is at work, or was killed before it was ready, leaves the first.
 */
const TRACES = [LAUNCHER, 'shards.json', 'logs'];

/** Why there is no system here, where nothing says that one runs. */
export function noSystem(directory: string): CliError {
  const root = rootWithTraces(directory);
  if (root === undefined) {
    return new CliError(
      'no system is known here: run this inside the repository after `npm start`, or set SURETY_SHARDS',
    );
  }
  const pid = launcherPid(root);
  if (pid !== undefined && isAlive(pid)) {
    return new CliError(`the system in ${root} is starting or ending (npm start, pid ${pid})`);
  }
  return new CliError(
    `the system in ${root} is stopped: start it there with \`npm start\`, or set SURETY_SHARDS to ` +
      'look at another one',
  );
}

/** What to tell where the shards do not answer: a killed launcher leaves word of a running system. */
export function noAnswer({ environment, directory }: CliHost, error: unknown): unknown {
  if (environment['SURETY_SHARDS']) return error;
  const pid = readSystemFile(directory)?.launcherPid;
  if (pid === undefined || isAlive(pid)) return error;
  return new CliError(
    `${errorLine(error)}; the \`npm start\` that kept it up is gone (pid ${pid}): start it again`,
  );
}

function rootWithTraces(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    if (TRACES.some((name) => existsSync(join(at, '.surety', name)))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** Of the launcher that is at work there; what cannot be read says nothing. */
function launcherPid(root: string): number | undefined {
  try {
    const text = readFileSync(join(root, '.surety', LAUNCHER), 'utf8');
    const { pid } = JSON.parse(text) as { pid?: unknown };
    return typeof pid === 'number' ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
