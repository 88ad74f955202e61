/** `npm test`: everything that can be tested on this machine, from a fresh clone on. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSources, installPackages } from './launch/install-and-build.mjs';
import { takeLauncherLock } from './launch/launcher-lock.mjs';
import { detail, part, say, seconds } from './launch/say.mjs';
import { Shutdown } from './launch/shutdown.mjs';
import { cacheDirectory } from './services/binary-cache.mjs';
import { MySqlUnavailableError } from './services/mysql-packages.mjs';
import { endTrackedChildren } from './services/short-lived-children.mjs';
import { endRunningStages, runJestStage } from './testing/jest-stage.mjs';
import { readTestArguments, TEST_HELP } from './testing/test-arguments.mjs';
import { findTestServices } from './testing/test-services.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dataDir = join(root, '.surety', 'test');
const MINUTE_MS = 60_000;
const PARALLEL = '--maxWorkers=2';
/** End-to-end tests each need the whole machine. */
const ONE_BY_ONE = '--runInBand';
/**
 * Node's own cleanup of a process that ended by itself was seen to spin for ever after the chaos specs
 * (in FreeEnvironment, with no JavaScript running): an exit that is asked for goes around it.
 */
const EXIT_AT_THE_END = '--forceExit';

/** Deadlines bound a hanging stage; together they stay below what a CI run may take. */
const STAGES = {
  unit: { label: 'unit', project: 'unit', workers: PARALLEL, deadlineMs: 8 * MINUTE_MS },
  int: {
    label: 'int on MariaDB',
    project: 'int',
    engine: 'mariadb',
    workers: PARALLEL,
    deadlineMs: 15 * MINUTE_MS,
  },
  mysql: {
    label: 'int on MySQL',
    project: 'int',
    engine: 'mysql',
    workers: PARALLEL,
    deadlineMs: 15 * MINUTE_MS,
  },
  e2e: {
    label: 'e2e',
    project: 'e2e',
    engine: 'mariadb',
    workers: ONE_BY_ONE,
    extras: [EXIT_AT_THE_END],
    deadlineMs: 40 * MINUTE_MS,
  },
};

async function main() {
  const { help, stages, jestArguments } = readTestArguments(process.argv.slice(2));
  if (help) return void process.stdout.write(TEST_HELP);
  const shutdown = new Shutdown();
  shutdown.listen({ exitCode: 130 });
  const lock = takeLauncherLock(join(dataDir, 'launcher.json'));
  shutdown.push({ label: '', end: () => lock.release() });
  let results = [];
  try {
    await part('npm packages', () => installPackages(root));
    const needsServers = stages.some((name) => STAGES[name].engine);
    const [services] = await Promise.all([
      needsServers ? startServices(stages, shutdown) : undefined,
      part('build', () => buildSources(root)),
    ]);
    shutdown.push({ label: '', end: endRunningStages });
    results = await runStages({ stages, jestArguments, services, shutdown });
  } catch (error) {
    if (shutdown.hasBegun) return;
    say(error.message);
    results.push({ label: 'set-up', passed: 0, failed: 1, skipped: 0, ms: 0, note: 'failed' });
  }
  if (shutdown.hasBegun) return;
  await shutdown.run();
  printResults(results);
  process.exit(results.some(({ failed }) => failed > 0) ? 1 : 0);
}

/** The servers of the first stage that needs any start while the sources are built. */
async function startServices(stages, shutdown) {
  shutdown.push({ label: '', end: endTrackedChildren });
  const services = await findTestServices({ dataDir, log: detail, env: process.env });
  shutdown.push({ label: 'test servers', end: () => services.stop() });
  const { engine } = STAGES[stages.find((name) => STAGES[name].engine)];
  if (engine === 'mariadb') await part('test servers', () => services.environment(engine));
  return services;
}

async function runStages({ stages, jestArguments, services, shutdown }) {
  const results = [];
  for (const name of stages) {
    // A stage that a signal ended must not be followed by the next one.
    if (shutdown.hasBegun) break;
    const { label } = STAGES[name];
    say(`\n--- ${label}`);
    const startedAt = performance.now();
    const counts = await runStage({ name, jestArguments, services }).catch(asSkippedOrFailed);
    results.push({ label, ...counts, ms: performance.now() - startedAt });
  }
  return results;
}

async function runStage({ name, jestArguments, services }) {
  const { project, engine, deadlineMs, workers, extras = [] } = STAGES[name];
  const servers = engine ? await services.environment(engine) : {};
  const counts = await runJestStage({
    root,
    name,
    jestArguments: ['--selectProjects', project, workers, ...extras, ...jestArguments],
    hasPattern: jestArguments.length > 0,
    env: { ...testEnvironment(), ...servers },
    deadlineMs,
  });
  if (engine === 'mysql') await services.end('mysql');
  return counts;
}

/** Real MySQL is not to be had everywhere; everything else that fails is a failure. */
function asSkippedOrFailed(error) {
  if (error instanceof MySqlUnavailableError) {
    say(`skipped: ${error.message}`);
    return { passed: 0, failed: 0, skipped: 0, note: `skipped: ${error.message.split('\n')[0]}` };
  }
  say(error.message);
  return { passed: 0, failed: 1, skipped: 0, note: 'could not run' };
}

/** How a failed run is repeated, and how much history a spec makes. */
const COMES_THROUGH = ['SURETY_TEST_SEED', 'SURETY_TEST_HISTORY_ROWS'];

/** Tests see the servers made for them, not a system that the developer's shell points to. */
function testEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('SURETY_') || COMES_THROUGH.includes(name),
  );
  return { ...Object.fromEntries(kept), SURETY_TEST_CACHE_DIR: cacheDirectory() };
}

function printResults(results) {
  say('');
  for (const { label, passed, failed, skipped, ms, note } of results) {
    const counts = `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
    say(`${label.padEnd(16)} ${seconds(ms).padStart(9)}   ${counts}${note ? `   (${note})` : ''}`);
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  say(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
}

try {
  await main();
} catch (error) {
  say(error.message);
  say('0 passed, 1 failed');
  process.exit(1);
}
