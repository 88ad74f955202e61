/** `.surety/system.json`: what runs, for the CLI and for the next start after a kill -9. */
import { join } from 'node:path';
import { readJsonFile, writePrivateFile } from '../services/private-file.mjs';
import { endProcess, isOurs } from '../services/process-ownership.mjs';

const LEFT_OVER_DEADLINE_MS = 10_000;

/** What the CLI must share with the processes. Named one by one: nothing secret gets in by accident. */
const SHARED_SETTINGS = [
  'HOLD_TIMEOUT',
  'SURETY_STALL_TIMEOUT',
  'SURETY_CURRENCIES',
  'SURETY_DEFAULT_CURRENCY',
];

/**
 * Carries passwords: only this user may read it.
 * @param {string} file @param {object} system
 * @param {NodeJS.ProcessEnv} [environment] what the processes were started with
 */
export function writeSystemFile(file, system, environment = process.env) {
  const content = { ...system, settings: settingsOf(environment) };
  writePrivateFile(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** Those settings that are set; an empty value counts as not set. */
export function settingsOf(environment) {
  const set = SHARED_SETTINGS.filter((name) => environment[name]);
  return Object.fromEntries(set.map((name) => [name, environment[name]]));
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
