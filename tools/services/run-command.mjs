/** Runs a short command to its end. */
import { execFile } from 'node:child_process';
import { track } from './short-lived-children.mjs';

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<string>} what it printed on standard output; rejects with both outputs
 */
export function runCommand(command, args, { cwd, env, timeoutMs = 300_000 } = {}) {
  const options = { cwd, env, timeout: timeoutMs, maxBuffer: OUTPUT_BYTES_MAX, encoding: 'utf8' };
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const printed = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
      reject(new Error(`${command} ${args[0] ?? ''}: ${error.message.split('\n')[0]}\n${printed}`));
    });
    track(child);
  });
}

/** True when the command exists and ends well. */
export function succeeds(command, args, options) {
  return runCommand(command, args, options).then(
    () => true,
    () => false,
  );
}
