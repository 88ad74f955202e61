/** One launcher per clone and purpose at a time: two would end each other's servers. */
import { rmSync } from 'node:fs';
import { readJsonFile, writePrivateFile } from '../services/private-file.mjs';
import { startTimeOf } from '../services/process-ownership.mjs';

/**
 * @param {string} file
 * @returns {{ release: () => void }}
 * @throws {Error} naming the launcher that lives
 */
export function takeLauncherLock(file) {
  const holder = readJsonFile(file);
  if (
    holder?.startTime &&
    holder.pid !== process.pid &&
    startTimeOf(holder.pid) === holder.startTime
  ) {
    throw new Error(`already running in this clone (pid ${holder.pid}): stop that one first`);
  }
  const own = { pid: process.pid, startTime: startTimeOf(process.pid) };
  writePrivateFile(file, JSON.stringify(own));
  return { release: () => rmSync(file, { force: true }) };
}
