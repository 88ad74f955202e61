import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readExternalUrls } from './external-urls.mjs';
import { parseJavaVersion } from './java-and-maven.mjs';
import { newClusterId } from './kafka.mjs';
import { parseDependencies } from './mysql-packages.mjs';
import { isPortFree, readPorts, rememberPorts } from './ports.mjs';
import { rememberPassword } from './private-file.mjs';
import { isAlive, isOurs } from './process-ownership.mjs';

function inDirectory(work) {
  const directory = mkdtempSync(join(tmpdir(), 'surety-tools-'));
  return Promise.resolve(work(directory)).finally(() => {
    rmSync(directory, { recursive: true, force: true });
  });
}

describe('readExternalUrls', () => {
  const whole = {
    SURETY_SHARDS: 'mysql://u:p@h:1/a, mysql://u:p@h:1/b',
    SURETY_KAFKA_BROKERS: 'h:2,h:3',
    SURETY_REDIS_URL: 'redis://h:4',
  };

  it('is silent when the environment names no server', () => {
    expect(readExternalUrls({})).toBeUndefined();
  });

  it('refuses TLS and passwords for a Kafka that nobody named', () => {
    const own = { SURETY_KAFKA_TLS: 'on', SURETY_KAFKA_PASSWORD: 'secret', SURETY_KAFKA_SASL: '' };
    expect(() => readExternalUrls(own)).toThrow(/^SURETY_KAFKA_TLS, SURETY_KAFKA_PASSWORD: for a/);
    expect(() => readExternalUrls(own)).not.toThrow(/secret/);
    expect(readExternalUrls({ ...whole, ...own }).kafkaBrokers).toEqual(['h:2', 'h:3']);
  });

  it('splits lists, and migrates with the same URLs unless told otherwise', () => {
    const urls = readExternalUrls(whole);
    expect(urls.shardUrls).toEqual(['mysql://u:p@h:1/a', 'mysql://u:p@h:1/b']);
    expect(urls.migrationUrls).toEqual(urls.shardUrls);
    expect(urls.kafkaBrokers).toEqual(['h:2', 'h:3']);
  });

  it.each(Object.keys(whole))('says that %s is missing when only the others are there', (name) => {
    expect(() => readExternalUrls({ ...whole, [name]: '' })).toThrow(`${name} not set`);
  });

  it('never repeats a URL in its complaint: it may carry a password', () => {
    const wrong = { ...whole, SURETY_SHARDS: 'http://u:secret@h/a' };
    expect(() => readExternalUrls(wrong)).toThrow(/^SURETY_SHARDS: entry 1 is not a mysql:/);
    expect(() => readExternalUrls(wrong)).not.toThrow(/secret/);
  });

  it('wants as many migration URLs as shards', () => {
    const odd = { ...whole, SURETY_MIGRATION_SHARDS: 'mysql://u:p@h:1/a' };
    expect(() => readExternalUrls(odd)).toThrow('another number of shards');
  });
});

describe('newClusterId', () => {
  it('never begins with a dash, which would read as an option', () => {
    const ids = Array.from({ length: 2_000 }, newClusterId);
    expect(ids.filter((id) => !/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('parseJavaVersion', () => {
  it.each([
    ['openjdk 17.0.15 2025-04-15', 17],
    ['java 21 2023-09-19 LTS', 21],
    ['', 0],
    ['command not found', 0],
  ])('reads %p as %p', (text, version) => {
    expect(parseJavaVersion(text)).toBe(version);
  });
});

describe('parseDependencies', () => {
  it('takes what a package depends on and leaves suggestions and virtual packages out', () => {
    const text = [
      'server',
      '  PreDepends: libc6',
      '  Depends: libssl',
      '  Suggests: doc',
      '  Depends: <awk>',
      'libssl',
    ];
    expect(parseDependencies(text.join('\n'))).toEqual(
      new Map([
        ['server', ['libc6', 'libssl']],
        ['libssl', []],
      ]),
    );
  });
});

describe('ports', () => {
  it('are remembered while they are free and replaced when somebody else has them', () =>
    inDirectory(async (directory) => {
      const first = await rememberPorts(directory, ['sql']);
      expect(await rememberPorts(directory, ['sql'])).toEqual(first);
      const other = createServer();
      await new Promise((resolve) => other.listen(first.sql, '127.0.0.1', resolve));
      try {
        expect(await isPortFree(first.sql)).toBe(false);
        const second = await rememberPorts(directory, ['sql']);
        expect(second.sql).not.toBe(first.sql);
        await expect(rememberPorts(directory, ['sql'], { sql: first.sql })).rejects.toThrow(
          'taken',
        );
      } finally {
        await new Promise((resolve) => other.close(resolve));
      }
    }));

  it('forget a damaged file instead of failing', () =>
    inDirectory((directory) => {
      writeFileSync(join(directory, 'ports.json'), '{"sql":');
      expect(readPorts(join(directory, 'ports.json'))).toEqual({});
    }));
});

describe('rememberPassword', () => {
  it('gives the same password again and keeps it from other users', () =>
    inDirectory((directory) => {
      const file = join(directory, 'password');
      const password = rememberPassword(file);
      expect(password.length).toBeGreaterThanOrEqual(32);
      expect(rememberPassword(file)).toBe(password);
      expect(statSync(file).mode & 0o077).toBe(0);
    }));
});

describe('process ownership', () => {
  it('takes a living process for ours only by its command line', () => {
    expect(isAlive(process.pid)).toBe(true);
    expect(isOurs(process.pid, 'jest')).toBe(true);
    expect(isOurs(process.pid, '--datadir=/nowhere-of-ours')).toBe(false);
  });

  it.each([0, 1, -1, 2 ** 30, undefined])('never takes pid %p for ours', (pid) => {
    expect(isOurs(pid, '')).toBe(false);
  });
});
