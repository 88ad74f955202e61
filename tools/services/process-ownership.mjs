/**
 * Who a pid belongs to. A pid alone proves nothing: after a reboot or a day it may be anybody's.
 * We act on a process only if its command line carries the path of our own data directory or entry.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const POLL_MS = 50;

/** @param {number} pid */
export function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return !isZombie(pid);
}

/** A killed child of a parent that does not reap it keeps its pid, yet it is gone. */
function isZombie(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

/** The command line of a process, or '' if it cannot be read (then it is not treated as ours). */
export function commandLineOf(pid) {
  try {
    if (process.platform === 'linux') {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    }
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

/**
 * @param {number} pid
 * @param {string} marker text that only our process has in its command line
 */
export function isOurs(pid, marker) {
  return isAlive(pid) && commandLineOf(pid).includes(marker);
}

/**
 * What tells a process from a later one with the same pid, where the command line says too little.
 * @returns {string | undefined} undefined when there is no such process
 */
export function startTimeOf(pid) {
  if (!isAlive(pid)) return undefined;
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // Field 22, counted from the state, which follows the name in brackets and is field 3.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** Resolves to true when the process is gone, false when the deadline came first. */
export async function waitUntilGone(pid, deadlineMs) {
  const until = Date.now() + deadlineMs;
  while (isAlive(pid)) {
    if (Date.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

/**
 * Asks a process to end and, past the deadline, ends it. Callers have checked that it is ours.
 * @param {number} pid
 * @param {{ deadlineMs: number, signal?: NodeJS.Signals }} options
 */
export async function endProcess(pid, { deadlineMs, signal = 'SIGTERM' }) {
  sendSignal(pid, signal);
  if (await waitUntilGone(pid, deadlineMs)) return;
  sendSignal(pid, 'SIGKILL');
  await waitUntilGone(pid, 5_000);
}

/** A process that has ended in the meantime is what the caller wanted, not an error. */
export function sendSignal(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
