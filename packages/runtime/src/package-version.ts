import { readFileSync } from 'node:fs';

/** The manifest lies one folder above this file, in the sources and in what is built from them. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
