/**
 * `npm run chaos -- --minutes 30 --seed 7`: a whole system of its own on real servers, a load of
 * transfers, faults out of one seed, and everything that must hold after them.
 * Exits 0, 1 where a promise was broken, 2 where it could not run.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { transformSync } from '@swc/core';
import { format, resolveConfig } from 'prettier';
import { buildSources } from './launch/install-and-build.mjs';
import { cacheDirectory } from './services/binary-cache.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const OUTPUT = join(ROOT, 'node_modules', '.cache', 'surety-chaos');
/** What the run is made of: its own folder, and what it shares with the end-to-end specs. */
const SOURCES = ['chaos', 'e2e'];
const DIRECTORY = join('.surety', 'chaos');
const SEED_BOUND = 2 ** 31;

/** The specs' TypeScript has no build of its own. */
function transpile() {
  rmSync(OUTPUT, { recursive: true, force: true });
  mkdirSync(OUTPUT, { recursive: true });
  writeFileSync(join(OUTPUT, 'package.json'), '{"type":"module"}');
  for (const folder of SOURCES) {
    const from = join(ROOT, 'tests', folder);
    for (const name of readdirSync(from, { recursive: true })) {
      if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
      const to = join(OUTPUT, folder, name.replace(/\.ts$/, '.js'));
      const { code } = transformSync(readFileSync(join(from, name), 'utf8'), {
        filename: name,
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      });
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, code);
    }
  }
}

async function run({ seed, minutes, faultsPerMinute, engine, report }) {
  await buildSources(ROOT);
  transpile();
  process.chdir(ROOT);
  process.env.SURETY_TEST_CACHE_DIR ??= cacheDirectory();
  const { runChaos } = await import(pathToFileURL(join(OUTPUT, 'chaos/engine/run.js')).href);
  const { reportOf, withReport } = await import(
    pathToFileURL(join(OUTPUT, 'chaos/engine/report.js')).href
  );
  const say = (line) => console.log(line);
  const options = { seed, minutes, faultsPerMinute, engine, directory: DIRECTORY, say };
  const result = await runChaos(options);
  const text = reportOf(result);
  console.log(`\n${text}`);
  if (report !== undefined) {
    const isPage = existsSync(report);
    const page = isPage ? withReport(readFileSync(report, 'utf8'), text) : text;
    writeFileSync(report, await formatted(report, page));
  }
  if (result.violations.length > 0) return 1;
  rmSync(result.directory, { recursive: true, force: true });
  return 0;
}

/** As everything else in the repository is. */
async function formatted(file, page) {
  const options = await resolveConfig(file);
  return format(page, { ...options, parser: 'markdown' });
}

const HELP = `npm run chaos -- [options]      (after npm install)

  --minutes N             how long faults are injected (1)
  --seed S                which faults, and what the clients wish; default: a fresh one, printed
  --faults-per-minute F   how many, on average (22)
  --mysql                 shards on real MySQL instead of MariaDB
  --report FILE           also writes the report there; into its marked section where it is a page

A broken promise leaves logs, tables and the clients' journal under .surety/chaos/.
Exit code: 0 every promise held, 1 one was broken, 2 could not run.`;

function readArguments() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string' },
      'faults-per-minute': { type: 'string', default: '22' },
      mysql: { type: 'boolean', default: false },
      report: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const seed =
    values.seed === undefined ? Math.floor(Math.random() * SEED_BOUND) : Number(values.seed);
  const minutes = Number(values.minutes);
  const faultsPerMinute = Number(values['faults-per-minute']);
  if (!Number.isSafeInteger(seed)) throw new Error('--seed: a whole number');
  if (!(minutes > 0)) throw new Error('--minutes: a number above 0');
  if (!(faultsPerMinute > 0)) throw new Error('--faults-per-minute: a number above 0');
  const engine = values.mysql ? 'mysql' : 'mariadb';
  return { seed, minutes, faultsPerMinute, engine, report: values.report, help: values.help };
}

function isUsage(error) {
  return error.message.startsWith('--') || String(error.code).startsWith('ERR_PARSE_ARGS');
}

// Ends what was started: the servers by the closing pipe, the processes by the exit itself.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(2));

try {
  const wanted = readArguments();
  if (wanted.help) console.log(HELP);
  // What a broken wire left behind in some library must not keep the command from ending.
  else process.exit(await run(wanted));
} catch (error) {
  // Wrong arguments need no stack; whatever else fails does.
  console.error(isUsage(error) ? `${error.message}\n\n${HELP}` : error);
  process.exitCode = 2;
}
