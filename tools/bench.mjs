/** `npm run bench`: what a transfer costs on this machine, and how fast they come. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildSources, installPackages } from './launch/install-and-build.mjs';
import { takeLauncherLock } from './launch/launcher-lock.mjs';
import { detail, part, say } from './launch/say.mjs';
import { Shutdown } from './launch/shutdown.mjs';
import { ownNode } from './own-node.mjs';
import { BENCH_HELP, planOf } from '../load/bench/arguments.mjs';
import { comparisonOf, otherCircumstancesOf } from '../load/bench/comparison.mjs';
import { referenceLoopMs } from '../load/bench/reference-loop.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const RESULTS = join(root, 'load', 'results');
const PROBE_SECONDS = 15;
const GROWTH_ROUND_SECONDS = 60;
/** As long as the usual time from one check to the next: the share of a look at nothing new is in it. */
const IDLE_SECONDS = 60;
/** Checks and seals may be put off for as long as one likes. */
const PROVEN_WITHIN_SECONDS = 180;
/** Not 1, which says that something was measured and is wrong: nothing was started. */
const EXIT_REFUSED = 2;

async function bench({ options, scenarios }, shutdown) {
  const { GeneratorProcess } = await import('../load/bench/generator-process.mjs');
  const { startBenchSystem } = await import('../load/bench/system.mjs');
  const { SCENARIOS } = await import('../load/bench/scenarios.mjs');
  referenceLoopMs();
  const push = (step) => shutdown.push(step);
  const system = await part('system', () =>
    startBenchSystem({ ...options, root, log: detail, push }),
  );
  const generator = new GeneratorProcess(ownNode(root).path);
  push({ label: '', end: () => generator.end() });
  const { port } = system;
  const count = Math.max(...scenarios.map(({ accounts }) => accounts));
  await part(`${count} accounts opened and funded`, () =>
    generator.ask('prepare', { port, count }),
  );
  const [uniform] = SCENARIOS;
  const measure = new Measure({ system, generator, options });
  await part(`warm-up of ${options.warmUpSeconds} s`, () =>
    measure.load(uniform, { seconds: options.warmUpSeconds }),
  );
  return measureAll(scenarios, uniform, measure);
}

async function measureAll(scenarios, uniform, measure) {
  const rows = [];
  let maximumPerSecond;
  for (const scenario of scenarios) {
    if (scenario.share !== undefined && maximumPerSecond === undefined) {
      const probe = { ...uniform, seconds: PROBE_SECONDS };
      const { committedPerSecond } = await part('probe of the maximum', () => measure.run(probe));
      maximumPerSecond = committedPerSecond;
    }
    const rate = scenario.share === undefined ? undefined : scenario.share * maximumPerSecond;
    const data = scenario.grown ? await measure.grow(scenario.grown) : undefined;
    if (scenario.settleSeconds) await measure.settle(scenario, rate);
    const before = referenceLoopMs();
    const row = await part(scenario.name, () => measure.run(scenario, rate));
    row.referenceLoopMs = { before, after: referenceLoopMs() };
    if (data) row.data = data;
    if (scenario.untilEnded) {
      const cores = await part('nothing at all', () => measure.idleCores());
      row.idleCoresByProcess = cores;
      const sum = Object.values(cores).reduce((all, own) => all + own);
      row.idleCores = Number(sum.toFixed(4));
    }
    if (scenario.name === 'uniform') maximumPerSecond = row.committedPerSecond;
    rows.push(row);
  }
  return rows;
}

class Measure {
  #means;
  #runs = 0;

  constructor(means) {
    this.#means = means;
  }

  load(scenario, { seconds = scenario.seconds, ratePerSecond } = {}) {
    const { system, generator, options } = this.#means;
    this.#runs += 1;
    const seed = options.seed * 1_000 + this.#runs;
    const { port, redisUrl } = system;
    const { shards } = options;
    return generator.ask('run', {
      ...{ scenario, seconds, ratePerSecond, port, redisUrl, shards, seed },
    });
  }

  /** The same load for a while: what grows until a process has met everything once is no trend. */
  settle(scenario, ratePerSecond) {
    const seconds = scenario.settleSeconds;
    return part(`${seconds} s of it that are not measured`, () =>
      this.load(scenario, { seconds, ratePerSecond }),
    );
  }

  /** Fills the tables with finished transfers, as batches through the front door. */
  async grow(finished) {
    const { SCENARIOS } = await import('../load/bench/scenarios.mjs');
    const { megabytesOf } = await import('../load/bench/data-size.mjs');
    const { system, options } = this.#means;
    const batches = SCENARIOS.find(({ name }) => name === 'batch');
    let transfers = 0;
    let megabytes = 0;
    while (transfers < finished) {
      const { ended } = await this.load(batches, { seconds: GROWTH_ROUND_SECONDS });
      transfers += ended;
      megabytes = await megabytesOf(system);
      detail(`${transfers} of ${finished} transfers, ${megabytes} MB of tables`);
    }
    return { finishedBefore: transfers, megabytes, bufferPoolMb: options.bufferPoolMb };
  }

  /**
   * Processor time that each process and server takes while nothing is asked of them, in cores, once
   * what came before is checked and sealed: until then there is work left.
   */
  async idleCores() {
    const { cpuMsOf } = await import('../load/bench/meters.mjs');
    const { cpuLineOf } = await import('../load/bench/result.mjs');
    await this.#untilProven();
    const pids = Object.entries(this.#means.system.pids());
    const read = () => pids.map(([, pid]) => cpuMsOf(pid));
    const before = read();
    await setTimeout(IDLE_SECONDS * 1_000);
    const after = read();
    const coresOf = (at) => Number(((after[at] - before[at]) / (IDLE_SECONDS * 1_000)).toFixed(4));
    const cores = Object.fromEntries(pids.map(([name], at) => [name, coresOf(at)]));
    detail(cpuLineOf({ name: 'cores', cpuMsByProcess: cores }).trim());
    return cores;
  }

  async #untilProven() {
    const { provenUntil } = await import('../load/bench/meters.mjs');
    const since = Date.now();
    const { system, options } = this.#means;
    while ((await provenUntil(system.urls.reconciler, options.shards)) < since) {
      if (Date.now() - since > PROVEN_WITHIN_SECONDS * 1_000) {
        detail(
          `not checked and sealed within ${PROVEN_WITHIN_SECONDS} s: some of it is still to do`,
        );
        return;
      }
      await setTimeout(1_000);
    }
  }

  async run(scenario, ratePerSecond) {
    const { readMeters } = await import('../load/bench/meters.mjs');
    const { resultOf } = await import('../load/bench/result.mjs');
    const { MemorySamples } = await import('../load/bench/memory-samples.mjs');
    const { system } = this.#means;
    const before = await readMeters(system);
    const samples = new MemorySamples(system.pids());
    const load = await this.load(scenario, { ratePerSecond }).finally(() => samples.stop());
    const after = await readMeters(system);
    const checkIsClean = await system.check();
    return resultOf({ scenario, load, before, after, memory: samples.result(), checkIsClean });
  }
}

function machine() {
  const [cpu] = cpus();
  return {
    cores: cpus().length,
    processor: cpu?.model,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: ownNode(root).version,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).toString().trim(),
  };
}

async function report(rows, { options, earlier }) {
  const { cpuLineOf, memoryLinesOf, tableOf, tuningOf } = await import('../load/bench/result.mjs');
  const environment = tuningOf(process.env);
  say('');
  for (const line of tableOf(rows)) say(line);
  const tuning = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  if (tuning.length > 0) say(`\nsettings from the environment: ${tuning.join(', ')}`);
  say('\ncpu milliseconds per transfer by process:');
  for (const row of rows) say(cpuLineOf(row));
  const memory = memoryLinesOf(rows);
  if (memory.length > 0) say(['\nmemory, MB a minute by process:', ...memory].join('\n'));
  const at = new Date().toISOString();
  const { engine, shards, bufferPoolMb, warmUpSeconds, seed } = options;
  const settings = {
    ...{ engine, shards, bufferPoolMb, warmUpSeconds, seed, durable: true, environment },
  };
  const file = options.out ?? join(RESULTS, `${at.slice(0, 19).replaceAll(':', '')}.json`);
  const result = { at, machine: machine(), settings, scenarios: rows };
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  say(`\nwritten to ${file}`);
  if (!earlier) return;
  say(`\nagainst ${options.compare}:`);
  for (const line of comparisonOf(rows, earlier)) say(`  ${line}`);
  for (const line of otherCircumstancesOf(result, earlier)) say(`  ${line}`);
}

/** @throws Error in one line a mistake, for the caller to read; nothing was started */
function claim(shutdown) {
  const plan = planOf(process.argv.slice(2), process.env);
  if (plan.options.help) return plan;
  if (plan.options.out === undefined) mkdirSync(RESULTS, { recursive: true });
  const lock = takeLauncherLock(join(root, '.surety', 'bench', 'launcher.json'));
  const end = () => lock.release();
  shutdown.push({ label: '', end, force: end });
  return plan;
}

function claimOrRefuse(shutdown) {
  try {
    return claim(shutdown);
  } catch (error) {
    const mistakes = error.message.replaceAll(/^/gm, 'npm run bench: ');
    process.stderr.write(`${mistakes}\n(npm run bench -- --help)\n`);
    process.exit(EXIT_REFUSED);
  }
}

async function main() {
  const shutdown = new Shutdown();
  const plan = claimOrRefuse(shutdown);
  if (plan.options.help) return void process.stdout.write(BENCH_HELP);
  shutdown.listen({ exitCode: 1 });
  try {
    await part('npm packages', () => installPackages(root));
    await part('build', () => buildSources(root));
    const rows = await bench(plan, shutdown);
    await report(rows, plan);
    await shutdown.run();
    process.exit(rows.every((row) => row.checkIsClean && row.missing === 0) ? 0 : 1);
  } catch (error) {
    if (shutdown.hasBegun) return;
    say(`\n${error.stack}`);
    await shutdown.run();
    process.exit(1);
  }
}

await main();
