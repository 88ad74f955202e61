/** The number of shards of a data directory: chosen once, because every slot has its shard then. */
import { readJsonFile, writePrivateFile } from '../services/private-file.mjs';

const SHARDS_DEFAULT = 2;
/** One machine runs them all: each is a schema that every process keeps connections to. */
export const SHARDS_MAX = 64;

/**
 * @param {string} file
 * @param {number | undefined} wanted what the command line asks for
 */
export function rememberShardCount(file, wanted) {
  const shards = refuseAnotherShardCount(file, wanted) ?? wanted ?? SHARDS_DEFAULT;
  writePrivateFile(file, JSON.stringify({ shards }));
  return shards;
}

/**
 * @param {string} file
 * @param {number | undefined} wanted
 * @returns {number | undefined} the number chosen before, if one was
 */
export function refuseAnotherShardCount(file, wanted) {
  const known = readJsonFile(file)?.shards;
  if (known !== undefined && wanted !== undefined && known !== wanted) {
    throw new Error(
      `this system has ${known} shards and --shards says ${wanted}: ` +
        `leave it away, or begin anew with --fresh`,
    );
  }
  return known;
}
