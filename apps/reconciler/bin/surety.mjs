#!/usr/bin/env node
/** The operator's command. Everything behind it is built: this file only finds it. */
import { existsSync } from 'node:fs';

const cli = new URL('../dist/cli.js', import.meta.url);

if (existsSync(cli)) {
  await import(cli.href);
} else {
  process.stderr.write('surety is not built yet: run `npm run build` first\n');
  process.exitCode = 2;
}
