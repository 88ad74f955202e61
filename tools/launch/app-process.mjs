/** One process of the system: started, watched, started again when it dies, ended when told. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ownNode } from '../own-node.mjs';
import { endProcess, sendSignal } from '../services/process-ownership.mjs';
import { rotateLog } from '../services/server-process.mjs';
import { backoffAfterDeath } from './backoff.mjs';

/** What a process ends with where its environment is wrong (EX_CONFIG of sysexits.h). */
const EXIT_CONFIGURATION = 78;
const SETTINGS_HINT = 'set right what it names (partitions: add them, or lower SURETY_PARTITIONS)';
const READY_POLL_MS = 100;
const READY_ANSWER_MS = 2_000;
/** Longer than the processes give themselves to finish what they hold (20 s). */
const STOP_DEADLINE_MS = 25_000;
const LOG_LINES_IN_ERROR = 20;

/**
 * @typedef {object} AppSpec
 * @property {string} name
 * @property {string} root of the clone, whose Node runs it
 * @property {string} entry absolute path of its main.js: how a left-over is recognised
 * @property {NodeJS.ProcessEnv} env
 * @property {string} url where it answers /readyz
 * @property {string} logFile
 * @property {string[]} [nodeArguments] for Node itself
 */

/**
 * Is up, waiting to be started again, refusing its settings, or stopped. Any exit while not stopped
 * leads to waiting, but one that refuses the settings before the process was ever ready to refusing;
 * the end of the wait leads to up; only stop() and kill() lead to stopped, and nothing leads out of it.
 */
export class AppProcess {
  #spec;
  #log;
  #onChange;
  #child;
  #stopped = false;
  #deaths = 0;
  #retry;
  #wasReady = false;
  #refusesSettings = false;
  /** Where in the log this launcher's part begins: what a system before it wrote explains nothing. */
  #logBegin = Infinity;

  /**
   * @param {AppSpec} spec
   * @param {{ log: (line: string) => void, onChange: () => void }} callbacks
   *   onChange: its pid is another one
   */
  constructor(spec, { log, onChange }) {
    this.#spec = spec;
    this.#log = log;
    this.#onChange = onChange;
  }

  get name() {
    return this.#spec.name;
  }

  get url() {
    return this.#spec.url;
  }

  get pid() {
    return this.#child?.pid;
  }

  start() {
    const { root, entry, env, logFile, nodeArguments = [] } = this.#spec;
    mkdirSync(dirname(logFile), { recursive: true });
    rotateLog(logFile);
    const log = openSync(logFile, 'a');
    // Less than before where the log was rotated in between.
    this.#logBegin = Math.min(this.#logBegin, fstatSync(log).size);
    const startedAt = Date.now();
    // Its own process group: a terminal's Ctrl-C reaches the launcher alone, which ends things in
    // order.
    const child = spawn(ownNode(root).path, [...nodeArguments, '--enable-source-maps', entry], {
      env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    // Node's packages are being replaced: there again in a moment, as after any other death.
    child.once('error', (error) => {
      if (child.pid === undefined) this.#onExit(this.#ended(error.message), startedAt);
    });
    child.once('exit', (code, signal) => {
      const refuses = code === EXIT_CONFIGURATION;
      this.#refusesSettings = refuses && !this.#wasReady;
      const ended = refuses ? this.#refusal() : this.#ended(signal ?? `code ${code}`);
      this.#onExit(ended, startedAt);
    });
    this.#onChange();
  }

  #ended(cause) {
    return `${this.name} ended by itself (${cause})`;
  }

  #refusal() {
    const code = EXIT_CONFIGURATION;
    return `${this.name} refuses its settings (code ${code}): see ${this.#spec.logFile}, ${SETTINGS_HINT}`;
  }

  #onExit(ended, startedAt) {
    if (this.#stopped) return;
    // The same settings would be refused again: whoever waits for the process says why. Once it was
    // ready they were right, and what they are compared with has changed: it may change again.
    if (this.#refusesSettings) return;
    const livedMs = Date.now() - startedAt;
    const { deaths, waitMs } = backoffAfterDeath({ deaths: this.#deaths, livedMs });
    this.#deaths = deaths;
    this.#log(`${ended}: starting it again in ${waitMs / 1000} s`);
    this.#retry = setTimeout(() => {
      this.start();
      if (this.#wasReady) void this.#sayWhenReadyAgain(this.#child);
    }, waitMs);
  }

  /** Ends without a word where this life of the process does: its death has a line of its own. */
  async #sayWhenReadyAgain(child) {
    while (this.#child === child && this.#isUp() && !this.#stopped) {
      if (await this.isReady()) return this.#log(`${this.name} is ready again (pid ${child.pid})`);
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  /** Rejects with the end of its log when it is not ready in time. */
  async untilReady(deadlineMs) {
    const until = Date.now() + deadlineMs;
    while (!(await this.isReady())) {
      if (this.#refusesSettings) {
        throw new Error(`${this.name} refuses its settings\n${this.lastLog()}`);
      }
      if (Date.now() > until) {
        throw new Error(
          `${this.name} is not ready after ${deadlineMs / 1000} s\n${this.lastLog()}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  async isReady() {
    try {
      const signal = AbortSignal.timeout(READY_ANSWER_MS);
      const response = await fetch(`${this.url}/readyz`, { signal });
      await response.arrayBuffer();
      const isReady = response.status === 200;
      this.#wasReady ||= isReady;
      return isReady;
    } catch {
      return false;
    }
  }

  /** SIGTERM; what has not ended by the deadline is killed. */
  async stop() {
    this.#stopped = true;
    clearTimeout(this.#retry);
    if (!this.#isUp()) return;
    sendSignal(this.pid, 'SIGCONT');
    await endProcess(this.pid, { deadlineMs: STOP_DEADLINE_MS });
  }

  kill() {
    this.#stopped = true;
    clearTimeout(this.#retry);
    if (this.#isUp()) sendSignal(this.pid, 'SIGKILL');
  }

  #isUp() {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  lastLog() {
    if (!existsSync(this.#spec.logFile)) return '';
    const ours = readFileSync(this.#spec.logFile).subarray(this.#logBegin);
    const lines = ours.toString('utf8').trimEnd().split('\n');
    return [`last lines of ${this.#spec.logFile}:`, ...lines.slice(-LOG_LINES_IN_ERROR)].join('\n');
  }
}
