/** Runs one jest project as a child process and counts what it reports. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ownNode } from '../own-node.mjs';
import { sendSignal } from '../services/process-ownership.mjs';

/** Between the polite signal and SIGKILL: time for the tests' own servers to be ended. */
const END_GRACE_MS = 5_000;

/** @typedef {{ passed: number, failed: number, skipped: number, note?: string }} Counts */

/** Jests under way, for a signal to end them. */
const running = new Set();

/**
 * @param {object} options
 * @param {string} options.root
 * @param {string} options.name of the stage
 * @param {string[]} options.jestArguments
 * @param {boolean} options.hasPattern the caller chose among the tests
 * @param {NodeJS.ProcessEnv} options.env
 * @param {number} options.deadlineMs
 * @returns {Promise<Counts>}
 */
export async function runJestStage({ root, name, jestArguments, hasPattern, env, deadlineMs }) {
  const report = join(root, '.surety', 'test', `jest-${name}.json`);
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  // Only a pattern may match nothing in a stage; a whole stage without tests is a broken one.
  const mayBeEmpty = hasPattern ? ['--passWithNoTests'] : [];
  const always = ['--json', `--outputFile=${report}`, ...mayBeEmpty];
  // Its own process group, so that a time-out ends its workers and what they started, too.
  const child = spawn(ownNode(root).path, [jest, ...always, ...jestArguments], {
    cwd: root,
    env,
    detached: true,
    // The report goes to the file; on standard output it would drown everything else.
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  running.add(child);
  let timedOut = false;
  const deadline = setTimeout(() => {
    timedOut = true;
    endGroup(child.pid);
  }, deadlineMs);
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', resolve);
  });
  clearTimeout(deadline);
  running.delete(child);
  const note = timedOut ? `ended after ${deadlineMs / 60_000} minutes` : undefined;
  return { ...countResults(readReport(report), code), ...(note && { note }) };
}

export function endRunningStages() {
  for (const child of running) endGroup(child.pid);
}

function endGroup(pid) {
  sendSignal(-pid, 'SIGTERM');
  setTimeout(() => sendSignal(-pid, 'SIGKILL'), END_GRACE_MS).unref();
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * A suite that could not run, and a jest that ended badly without naming a failed test, count as
 * one failure each: nothing that went wrong is counted as nothing.
 * @returns {Counts}
 */
export function countResults(report, exitCode) {
  if (!report) return { passed: 0, failed: 1, skipped: 0, note: 'crashed without a report' };
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  const skipped = report.numPendingTests + report.numTodoTests;
  const isUnexplained = failed === 0 && exitCode !== 0;
  return {
    passed: report.numPassedTests,
    failed: isUnexplained ? 1 : failed,
    skipped,
    ...(isUnexplained && { note: `jest ended with code ${exitCode}` }),
  };
}
