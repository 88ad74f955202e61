/**
 * The first word chooses what the container is. Loaded into this very process instead of started as
 * a child: it is the one that gets the signals, and its exit code is the container's.
 */
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';

const PROCESSES = ['ingress', 'relay', 'workers', 'projector', 'reconciler'];
/** EX_USAGE of sysexits.h. */
const EXIT_USAGE = 64;

const ENTRIES = new Map([
  ...PROCESSES.map((name) => [name, `../apps/${name}/dist/main.js`]),
  ['surety', '../apps/reconciler/dist/cli.js'],
  ['migrate', './migrate.mjs'],
]);

const [command = '', ...rest] = process.argv.slice(2);
const entry = ENTRIES.get(command);
if (entry === undefined) {
  const wrong = command === '' ? 'no command' : `unknown command ${JSON.stringify(command)}`;
  process.stderr.write(`${wrong}; one of: ${[...ENTRIES.keys()].join(', ')}\n`);
  process.exitCode = EXIT_USAGE;
} else {
  const url = new URL(entry, import.meta.url);
  // As if it had been started by itself.
  // A container that starts again keeps its host name: the process then knows its former self.
  process.env['SURETY_INSTANCE'] ??= `${command}-${hostname()}`;
  process.argv.splice(1, process.argv.length - 1, fileURLToPath(url), ...rest);
  await import(url);
}
