/** Files that only this user may read: passwords, pids, URLs with credentials. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes as a whole or not at all: a reader never sees half a file, a crash leaves the old one. */
export function writePrivateFile(file, text) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}

/** The password kept in a file, made on first use. Hexadecimal: safe in URLs, SQL and shells. */
export function rememberPassword(file) {
  if (!existsSync(file)) writePrivateFile(file, randomBytes(18).toString('hex'));
  return readFileSync(file, 'utf8').trim();
}

/** The JSON in a file, or undefined when there is none that can be read. */
export function readJsonFile(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
