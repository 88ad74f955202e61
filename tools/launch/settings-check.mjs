/** Settings that can be seen to be wrong before anything is installed, built or started. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readExternalUrls } from '../services/external-urls.mjs';
import { refuseAnotherShardCount } from './shard-count.mjs';

/** Which holds the list of the names, with why there is one for all processes. */
export const KNOWN_NAMES_SOURCE = 'packages/runtime/src/config.ts';
const PREFIX = 'SURETY_';
const TEST_PREFIX = 'SURETY_TEST_';

/**
 * The names of settings that the processes know, from the source: in a fresh clone nothing is built.
 * @param {string} root
 * @returns {Set<string>} empty where the list is not found, of which `npm run drift` tells
 */
export function knownNames(root) {
  const source = readFileSync(join(root, KNOWN_NAMES_SOURCE), 'utf8');
  const list = /KNOWN_NAMES[^=]*=\s*\[([^\]]*)\]/.exec(source)?.[1] ?? '';
  return new Set(Array.from(list.matchAll(/'([A-Z0-9_]+)'/g), (match) => match[1]));
}

/**
 * @param {{ root: string, shardsFile?: string, shards?: number, fresh?: boolean }} options
 *   shardsFile: where an earlier start has written the number of shards; not read with fresh
 * @param {NodeJS.ProcessEnv} env
 * @throws {Error} without any value: it may be a password
 */
export function refuseWrongSettings({ root, shardsFile, shards, fresh = false }, env) {
  const unknown = unknownNames(knownNames(root), env);
  if (unknown.length > 0) {
    throw new Error(unknown.map((name) => `${name}: is not a known setting`).join('\n'));
  }
  const given = readExternalUrls(env)?.shardUrls.length;
  if (given === undefined) {
    if (!fresh) refuseAnotherShardCount(shardsFile, shards);
  } else if (shards !== undefined && shards !== given) {
    throw new Error(`--shards ${shards}, but SURETY_SHARDS names ${given}`);
  }
}

/** The processes would refuse them, too, after everything that they need has been brought up. */
function unknownNames(known, env) {
  if (known.size === 0) return [];
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !name.startsWith(TEST_PREFIX))
    .filter((name) => !known.has(name))
    .sort();
}
