/** `.surety/system.json`: what runs, for the CLI and for the next start after a kill -9. */
import { join } from 'node:path';
import { readJsonFile, writePrivateFile } from '../services/private-file.mjs';
import { endProcess, isOurs } from '../services/process-ownership.mjs';

const LEFT_OVER_DEADLINE_MS = 10_000;

/** Carries passwords: only this user may read it. */
export function writeSystemFile(file, system) {
  writePrivateFile(file, `${JSON.stringify(system, null, 2)}\n`);
}

/**
 * Ends processes that a killed launcher left. A pid counts only while its command line names the
 * entry of this clone.
 * @param {string} file @param {string} root @param {(line: string) => void} log
 */
export async function endLeftOverProcesses(file, root, log) {
  const processes = Object.entries(readJsonFile(file)?.processes ?? {});
  const leftOver = processes.filter(([name, { pid }]) => isOurs(pid, entryOf(root, name)));
  if (leftOver.length === 0) return;
  log(`ending ${leftOver.map(([name]) => name).join(', ')} left from an earlier start`);
  await Promise.all(
    leftOver.map(([, { pid }]) => endProcess(pid, { deadlineMs: LEFT_OVER_DEADLINE_MS })),
  );
}

export const entryOf = (root, name) => join(root, 'apps', name, 'dist', 'main.js');
