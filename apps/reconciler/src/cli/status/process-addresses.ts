import { readSystemFile } from '../system-file.js';
import { CliError } from '../output.js';
import type { CliHost } from '../host.js';
import type { ProcessAddress } from './processes.js';

/**
 * Where the processes of the system are: SURETY_PROCESSES, else what `npm start` wrote down. Empty
 * where neither says anything.
 * @throws CliError where SURETY_PROCESSES cannot be understood.
 */
export function processAddresses({ environment, directory }: CliHost): readonly ProcessAddress[] {
  const given = environment['SURETY_PROCESSES'];
  if (given) return parseProcesses(given);
  // With shards of its own the caller means another system than the one that runs here.
  if (environment['SURETY_SHARDS']) return [];
  const processes = readSystemFile(directory)?.processes ?? {};
  return Object.entries(processes).map(([name, { adminUrl }]) => ({ name, url: adminUrl }));
}

/** `workers-1=http://10.0.0.5:9100,relay-1=http://10.0.0.6:9100` */
export function parseProcesses(text: string): readonly ProcessAddress[] {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '').map(parseEntry);
}

function parseEntry(entry: string, index: number): ProcessAddress {
  const match = /^([A-Za-z0-9._:-]{1,64})=(https?:\/\/.+)$/.exec(entry);
  const [, name, url] = match ?? [];
  if (name && url && URL.canParse(url)) return { name, url };
  throw new CliError(`SURETY_PROCESSES: entry ${index + 1} is not name=http://host:port`);
}
