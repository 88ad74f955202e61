/**
 * One server process of ours: started in its own process group so that a terminal's Ctrl-C does not
 * reach it, recorded in `server.json` so that it is found again after a kill -9 of its launcher.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile, writePrivateFile } from './private-file.mjs';
import { endProcess, isAlive, isOurs, sendSignal, waitUntilGone } from './process-ownership.mjs';

const PROBE_EVERY_MS = 50;
const WATCH_EVERY_MS = 500;
const LOG_BYTES_MAX = 20_000_000;
const LOG_LINES_IN_ERROR = 15;

/**
 * @typedef {object} ServerSpec
 * @property {string} name for people
 * @property {string} dataDir holds server.json and server.log
 * @property {string} marker part of the command line that only this server has
 * @property {string} command
 * @property {string[]} args
 * @property {NodeJS.ProcessEnv} [env]
 * @property {() => Promise<boolean>} probe true when the server answers its protocol
 * @property {number} startDeadlineMs
 * @property {number} stopDeadlineMs
 * @property {(line: string) => void} log
 */

/**
 * Starts the server, or takes over the one that an earlier launcher left running with the same
 * command; a left-over with another command, or one that does not answer, is ended first.
 * @param {ServerSpec} spec
 */
export async function startServer(spec) {
  const server = new ServerProcess(spec);
  await server.start();
  return server;
}

/**
 * The server as it is handed out: where it listens, and what may be done to it.
 * @param {ServerProcess} server
 * @param {{ kind: string, url: string, port: number, version?: string }} address
 */
export function reachable(server, address) {
  return {
    ...address,
    host: '127.0.0.1',
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    kill: () => server.kill(),
    restart: () => server.restart(),
    onDeath: (listener) => server.onDeath(listener),
    logFile: server.logFile,
  };
}

/**
 * The pid of the server that an earlier run left in this data directory, if it lives.
 * @returns {number | undefined}
 */
export function findLeftOver(dataDir, marker) {
  const pid = readJsonFile(join(dataDir, 'server.json'))?.pid;
  return pid !== undefined && isOurs(pid, marker) ? pid : undefined;
}

/** Ends what an earlier run left in a data directory, whatever kind of server it was. */
export async function endLeftOver(dataDir, deadlineMs = 30_000) {
  const record = readJsonFile(join(dataDir, 'server.json'));
  if (record?.marker && isOurs(record.pid, record.marker)) {
    await endProcess(record.pid, { deadlineMs });
  }
}

/** The ports of a left-over must not be given up before it was asked whether it answers. */
export function leftOverPorts(dataDir) {
  const record = readJsonFile(join(dataDir, 'server.json'));
  if (!record?.marker || !isOurs(record.pid, record.marker)) return undefined;
  return readJsonFile(join(dataDir, 'ports.json'));
}

/**
 * Is running between start and the end of its process. Stopping on purpose (stop, kill) and dying
 * by itself differ in one thing: only the latter calls the listeners of onDeath.
 */
class ServerProcess {
  #spec;
  #expectedToEnd = false;
  #deathListeners = [];
  #watch;
  pid = 0;

  constructor(spec) {
    this.#spec = spec;
  }

  async start() {
    const { dataDir, marker, probe, name, log } = this.#spec;
    this.#expectedToEnd = false;
    const leftOver = findLeftOver(dataDir, marker);
    if (leftOver !== undefined) {
      const sameCommand = readJsonFile(this.#recordFile)?.command === this.#commandHash();
      if (sameCommand && (await probe())) {
        log(`${name}: still running from an earlier start (pid ${leftOver}), taken over`);
        this.pid = leftOver;
        return this.#watchForDeath();
      }
      log(`${name}: ending the one left from an earlier start (pid ${leftOver})`);
      await endProcess(leftOver, { deadlineMs: this.#spec.stopDeadlineMs });
    }
    this.#spawn();
    await this.#untilAnswering();
    return this.#watchForDeath();
  }

  #spawn() {
    const { command, args, env, dataDir, marker } = this.#spec;
    mkdirSync(dataDir, { recursive: true });
    rotateLog(this.logFile);
    const log = openSync(this.logFile, 'a');
    const child = spawn(command, args, {
      cwd: dataDir,
      env: env ?? process.env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.once('error', (error) => (this.spawnError = error));
    child.unref();
    this.pid = child.pid ?? 0;
    const record = { pid: this.pid, marker, command: this.#commandHash() };
    writePrivateFile(this.#recordFile, JSON.stringify(record));
  }

  async #untilAnswering() {
    const { name, probe, startDeadlineMs } = this.#spec;
    const until = Date.now() + startDeadlineMs;
    while (!(await probe())) {
      if (!isAlive(this.pid)) {
        throw new Error(
          `${name} ended while starting: ${this.spawnError ?? ''}\n${this.#lastLog()}`,
        );
      }
      if (Date.now() > until) {
        await this.kill();
        throw new Error(`${name} did not answer in ${startDeadlineMs} ms\n${this.#lastLog()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
    }
  }

  #watchForDeath() {
    clearInterval(this.#watch);
    this.#watch = setInterval(() => {
      if (isAlive(this.pid)) return;
      clearInterval(this.#watch);
      if (!this.#expectedToEnd) for (const listener of this.#deathListeners) listener();
    }, WATCH_EVERY_MS);
    this.#watch.unref();
  }

  /** Called when the process ends without having been asked to. */
  onDeath(listener) {
    this.#deathListeners.push(listener);
  }

  /** Lets the server write what it holds in memory; past the deadline it is ended hard. */
  async stop() {
    this.#expectedToEnd = true;
    if (this.isRunning()) {
      // One that was paused (SIGSTOP) could not hear the request to end.
      sendSignal(this.pid, 'SIGCONT');
      await endProcess(this.pid, { deadlineMs: this.#spec.stopDeadlineMs });
    }
    rmSync(this.#recordFile, { force: true });
  }

  /** SIGKILL, as a crash would. The data directory stays as it was at that instant. */
  async kill() {
    this.#expectedToEnd = true;
    if (this.isRunning()) sendSignal(this.pid, 'SIGKILL');
    await waitUntilGone(this.pid, 5_000);
  }

  /** Same data directory, same ports; also after kill(). */
  async restart() {
    await this.stop();
    await this.start();
  }

  isRunning() {
    return isOurs(this.pid, this.#spec.marker);
  }

  get logFile() {
    return join(this.#spec.dataDir, 'server.log');
  }

  get #recordFile() {
    return join(this.#spec.dataDir, 'server.json');
  }

  #commandHash() {
    const { command, args } = this.#spec;
    return createHash('sha256')
      .update(JSON.stringify([command, args]))
      .digest('hex');
  }

  #lastLog() {
    if (!existsSync(this.logFile)) return '';
    const lines = readFileSync(this.logFile, 'utf8').trimEnd().split('\n');
    return lines.slice(-LOG_LINES_IN_ERROR).join('\n');
  }
}

/** Keeps one old log: bounds what a server that runs for months writes. */
export function rotateLog(file) {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES_MAX) renameSync(file, `${file}.1`);
}
