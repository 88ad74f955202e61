import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeSystemFile } from './system-file.mjs';

describe('the file that describes the running system', () => {
  let directory;
  let file;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'surety-launch-'));
    file = join(directory, 'system.json');
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const written = () => JSON.parse(readFileSync(file, 'utf8'));

  it('carries the settings that commands share with the processes, and nothing else', () => {
    const environment = {
      HOLD_TIMEOUT: '20m',
      SURETY_STALL_TIMEOUT: '2m',
      SURETY_CURRENCIES: 'GOLD:6',
      SURETY_DEFAULT_CURRENCY: '',
      SURETY_MIGRATION_SHARDS: 'mysql://admin:secret@host:1/a',
      PATH: '/bin',
    };
    writeSystemFile(file, { http: 'http://127.0.0.1:8080' }, environment);
    expect(written()).toEqual({
      http: 'http://127.0.0.1:8080',
      settings: { HOLD_TIMEOUT: '20m', SURETY_STALL_TIMEOUT: '2m', SURETY_CURRENCIES: 'GOLD:6' },
    });
  });

  it('has no settings where none is set', () => {
    writeSystemFile(file, {}, {});
    expect(written()).toEqual({ settings: {} });
  });

  it('is for the eyes of its owner alone', () => {
    writeSystemFile(file, {}, {});
    expect(statSync(file).mode & 0o077).toBe(0);
  });
});
