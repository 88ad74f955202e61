/** Values of settings that a process would refuse: its own reading of them is asked, once it is built. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readExternalUrls } from '../services/external-urls.mjs';
import { APP_NAMES, environmentOf, sharedEnvironment } from './app-environment.mjs';

/** EX_CONFIG of sysexits.h, as the processes have it. */
const EXIT_CONFIGURATION = 78;
/** In place of what `npm start` makes itself, which is no setting of anybody's. */
const OUR_OWN = {
  shardUrls: ['mysql://surety@127.0.0.1:3306/surety'],
  kafkaBrokers: ['127.0.0.1:9092'],
  redisUrl: 'redis://127.0.0.1:6379',
};

/** Every mistake together; none of them repeats a value, which may be a password. */
export class WrongValuesError extends Error {
  name = 'WrongValuesError';
  exitCode = EXIT_CONFIGURATION;

  /** @param {string[]} mistakes */
  constructor(mistakes) {
    super(['settings are wrong:', ...mistakes.map((one) => `  - ${one}`)].join('\n'));
  }
}

/**
 * Reads settings as the processes do. To be called once everything is built, before anything starts.
 * @param {{ root: string, port: number }} options
 * @param {NodeJS.ProcessEnv} [environment]
 * @throws {WrongValuesError}
 */
export async function refuseWrongValues({ root, port }, environment = process.env) {
  const parts = await builtParts(root);
  const mistakes = mistakesOf({ ...parts, port }, environment);
  if (mistakes.length > 0) throw new WrongValuesError(mistakes);
}

/** @typedef {(environment: NodeJS.ProcessEnv) => unknown} Reader throws a ConfigurationError */

/**
 * What the processes and the migration would say is wrong, each mistake once.
 * @param {{ readers: Record<string, Reader>, runtime: object, db: object, port: number }} options
 *   readers: by process
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string[]}
 */
export function mistakesOf({ readers, runtime, db, port }, environment) {
  const servers = readExternalUrls(environment) ?? OUR_OWN;
  const partitions = environment.SURETY_PARTITIONS ?? '';
  const shared = sharedEnvironment({ ...servers, partitions }, environment);
  const mistakes = Object.entries(readers).flatMap(([name, read]) =>
    told(() => read(environmentOf(name, port, shared))),
  );
  const { parseEnvironment, settings } = runtime;
  const ofMigration = { SURETY_MIGRATION_SHARDS: settings.shards(db.SHARD_URL).optional() };
  return [...new Set([...mistakes, ...told(() => parseEnvironment(ofMigration, environment))])];
}

function told(read) {
  try {
    read();
    return [];
  } catch (error) {
    if (Array.isArray(error.mistakes)) return error.mistakes;
    throw error;
  }
}

async function builtParts(root) {
  const importBuilt = (...path) => import(pathToFileURL(join(root, ...path)).href);
  const ofApp = async (name) => {
    const { readConfig } = await importBuilt('apps', name, 'dist', 'config.js');
    return [name, readConfig];
  };
  const readers = Object.fromEntries(await Promise.all(APP_NAMES.map(ofApp)));
  const runtime = await importBuilt('packages', 'runtime', 'dist', 'index.js');
  return { readers, runtime, db: await importBuilt('db', 'dist', 'index.js') };
}
