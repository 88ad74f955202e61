/** Ports for backing services: free, on loopback, never a default one, the same again next time. */
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { writePrivateFile } from './private-file.mjs';

// Below the ephemeral range of Linux (32768) and macOS (49152): a remembered port cannot be taken
// by some outgoing connection while our server is down. 27017 is MongoDB's default port.
const PORT_MIN = 20_000;
const PORT_MAX = 29_999;
const DEFAULT_PORTS = new Set([27_017]);
const ATTEMPTS_MAX = 200;

/** @param {number} port @param {string} [host] */
export function isPortFree(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

// Ports handed out in this process: two servers that start together must not get the same one.
const handedOut = new Set();

export async function findFreePort() {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = randomInt(PORT_MIN, PORT_MAX + 1);
    if (DEFAULT_PORTS.has(port) || handedOut.has(port) || !(await isPortFree(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`no free port between ${PORT_MIN} and ${PORT_MAX}`);
}

/**
 * The ports a data directory used last time, as far as they are still free; new ones otherwise.
 * @param {string} dataDir
 * @param {string[]} names
 * @param {Record<string, number | undefined>} wanted ports the caller insists on
 * @returns {Promise<Record<string, number>>}
 */
export async function rememberPorts(dataDir, names, wanted = {}) {
  const file = join(dataDir, 'ports.json');
  const before = readPorts(file);
  /** @type {Record<string, number>} */
  const ports = {};
  for (const name of names) {
    const candidate = wanted[name] ?? before[name];
    const usable = candidate !== undefined && (await isPortFree(candidate));
    if (!usable && wanted[name] !== undefined) {
      throw new Error(`port ${wanted[name]} on 127.0.0.1 is taken`);
    }
    ports[name] = usable ? candidate : await findFreePort();
  }
  writePrivateFile(file, JSON.stringify(ports));
  return ports;
}

/** What the file says, or nothing: a damaged file only costs the memory of the last ports. */
export function readPorts(file) {
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}
