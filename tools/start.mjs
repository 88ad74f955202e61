/** `npm start`: a whole Surety system on this machine. No npm package is needed to begin. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { facing, openDemoAccounts, pickAccounts, runDemoTransfer } from './launch/demo.mjs';
import { buildSources, installPackages, isUpToDate } from './launch/install-and-build.mjs';
import { takeLauncherLock } from './launch/launcher-lock.mjs';
import { detail, part, reasonOf, say, seconds } from './launch/say.mjs';
import { refuseWrongSettings } from './launch/settings-check.mjs';
import { refuseWrongValues } from './launch/settings-values.mjs';
import { Shutdown } from './launch/shutdown.mjs';
import { readStartArguments, START_HELP } from './launch/start-arguments.mjs';
import { endLeftOverProcesses } from './launch/system-file.mjs';
import { bringUpServices, endEmbeddedServers } from './services/bring-up.mjs';
import { isPortFree } from './services/ports.mjs';
import { endTrackedChildren } from './services/short-lived-children.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const state = join(root, '.surety');
const systemFile = join(state, 'system.json');
/** Options or settings that no system can be started with, as other commands say it. */
const EXIT_REFUSED = 2;

/** Asked before anything starts: a second system, or a port that somebody else holds. */
async function claimClone({ port, fresh }, shutdown) {
  const lock = takeLauncherLock(join(state, 'launcher.json'));
  shutdown.push({ label: '', end: () => lock.release(), force: () => lock.release() });
  await endLeftOverProcesses(systemFile, root, detail);
  if (!(await isPortFree(port))) {
    throw new Error(`port ${port} is taken: end what listens there, or choose another with PORT=…`);
  }
  if (!fresh) return;
  for (const name of ['system.json', 'shards.json', 'secrets', 'logs']) {
    rmSync(join(state, name), { recursive: true, force: true });
  }
}

/** Installing and building need the processor, services mostly the network: both at once. */
async function prepare({ fresh, port }, shutdown) {
  const dataDir = join(state, 'services');
  /** @type {import('./services/bring-up.mjs').Services | undefined} */
  let services;
  shutdown.push({
    label: 'backing services',
    end: () => (services ? services.stop() : endEmbeddedServers(dataDir)),
    force: () => services?.kill?.(),
  });
  shutdown.push({ label: '', end: endTrackedChildren });
  const starting = part('backing services', async () => {
    services = await bringUpServices({ dataDir, log: detail, fresh });
  });
  // Settings first: whoever has to set them right need not hear what else went wrong.
  const outcomes = await Promise.allSettled([installAndBuild(port), starting]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return services;
}

async function installAndBuild(port) {
  await part('npm packages', () => installPackages(root));
  await part('build', () => buildSources(root));
  await part('settings', () => refuseWrongValues({ root, port }));
}

async function startSystem(options, shutdown) {
  const { prepareShards, migrate, createTopicsOf, startApps, stopApps } =
    await import('./launch/system.mjs');
  const services = await prepare(options, shutdown);
  const shards = await part('schemas and users of the shards', () =>
    prepareShards({ root, services, shards: options.shards }),
  );
  await part('migrations', () => migrate(root, shards.migrationUrls, detail));
  const partitions = await part('Kafka topics', () => createTopicsOf(root, services.kafkaBrokers));
  const beforeStart = (apps) => {
    if (shutdown.hasBegun) throw new Error('told to end while starting');
    const end = () => stopApps(apps).then(() => rmSync(systemFile, { force: true }));
    shutdown.push({ label: 'processes', end, force: () => apps.forEach((app) => app.kill()) });
  };
  const { port } = options;
  const { mode } = services;
  const { http } = await part('all processes', () =>
    startApps({ root, port, mode, partitions, shards, services, log: detail, beforeStart }),
  );
  return { http, shardCount: shards.shardUrls.length };
}

/**
 * A demo that fails says so and leaves the system up: it is for looking at, nothing depends on it.
 * @returns {Promise<string | undefined>} the transfer's id
 */
async function demonstrate({ http, shardCount }, shutdown) {
  try {
    return await runDemo(`${http}/api/v1`, shardCount);
  } catch (error) {
    if (shutdown.hasBegun) throw error;
    return void say(`the demo failed, the system is up all the same: ${error.message}`);
  }
}

async function runDemo(api, shardCount) {
  await part('demo accounts ACC001 to ACC100', () => openDemoAccounts(api));
  const accounts = await facing(api, await pickAccounts(root, shardCount));
  const { source, destination, sourceShard, toShard } = accounts;
  detail(`12.34 EUR from ${source} (shard ${sourceShard}) to ${destination} (shard ${toShard}):`);
  return part('demo transfer committed', () => runDemoTransfer(api, accounts, detail));
}

/** @param {string | undefined} transferId without the demo there may be no account to pay from */
function printHints(http, transferId) {
  say(`\nSurety is up: ${http}   (logs in .surety/logs, Ctrl-C ends it)\n`);
  if (transferId === undefined) return say('  docs/api.md has every call\n');
  const body = '{"sourceAccount":"ACC001","destinationAccount":"ACC002","amount":"1.00"}';
  const key = `try-${randomUUID().slice(0, 8)}`;
  const headers = `-H 'Content-Type: application/json' -H 'Idempotency-Key: ${key}'`;
  say(`  curl -s -X POST ${http}/api/v1/transfers ${headers} -d '${body}'`);
  say(`  curl -s '${http}/api/v1/transfers/${transferId}?wait=10s'`);
  say(`  curl -s ${http}/api/v1/accounts/ACC001/balance\n`);
}

/** What can be known to be wrong is refused here, while nothing has to be ended again. */
function readOptions() {
  try {
    const options = readStartArguments(process.argv.slice(2), process.env);
    const shardsFile = join(state, 'shards.json');
    if (!options.help) refuseWrongSettings({ root, shardsFile, ...options }, process.env);
    return options;
  } catch (error) {
    say(`${error.message}\n(npm start -- --help)`);
    process.exit(EXIT_REFUSED);
  }
}

async function main() {
  const startedAt = performance.now();
  const options = readOptions();
  if (options.help) return void process.stdout.write(START_HELP);
  const shutdown = new Shutdown();
  shutdown.listen();
  try {
    // As early as there is something to ask; after a build otherwise.
    if (isUpToDate(root)) await refuseWrongValues({ root, ...options });
    await claimClone(options, shutdown);
    const system = await startSystem(options, shutdown);
    const transferId = options.demo ? await demonstrate(system, shutdown) : undefined;
    say(`[${seconds(performance.now() - startedAt)}] ready`);
    printHints(system.http, transferId);
    // The process stays up by this alone: servers and processes are watched, not waited for.
    setInterval(() => undefined, 60_000);
  } catch (error) {
    // Parts fail because they are being ended: the shutdown under way exits the process.
    if (shutdown.hasBegun) return;
    say(`\n${reasonOf(error)}`);
    await shutdown.run();
    process.exit(error.exitCode ?? 1);
  }
}

try {
  await main();
} catch (error) {
  say(reasonOf(error));
  process.exit(1);
}
