import { expect, it } from '@jest/globals';
import { SHARD_URL, driverSettings, sessionStatements } from './settings.js';

it('reads every part of a URL', () => {
  expect(driverSettings('mysql://us%40er:p%3Ass@[::1]:3307/surety')).toMatchObject({
    ...{ host: '::1', port: 3307, user: 'us@er', password: 'p:ss', database: 'surety' },
  });
  expect(driverSettings('mysql://u:p@db/s').port).toBe(3306);
});

it('speaks TLS where the URL says so, to the host that it names and nobody else', () => {
  expect(driverSettings('mysqls://u:p@db/s').ssl).toEqual({
    ...{ minVersion: 'TLSv1.2', rejectUnauthorized: true, verifyIdentity: true },
  });
  expect(driverSettings('mysql://u:p@db/s')).not.toHaveProperty('ssl');
});

it.each([
  ...['', 'nonsense', 'postgres://u:secret@h/s', 'mysql://u:secret@h', 'mysql://u:secret@h/'],
  ...['mysql://h:3306/s', 'mysql://u:secret@h:x/s', 'mysql://u:secret@/', 'u:secret@h/s'],
  ...['mysql://u:secret@h/s/t', 'mysql://u:secret@h/s-t', `mysql://u:secret@h/${'s'.repeat(65)}`],
  ...[
    'mysql://u:secret@h/s?ssl=true',
    'mysqls://u:secret@h/s?ca=x',
    'mysqls://u:secret@h',
    'mysqls://u:secret@10.0.0.1/s',
    'mysqls://u:secret@[::1]/s',
  ],
])('refuses %s without repeating a password', (url) => {
  expect(() => driverSettings(url)).toThrow(TypeError);
  expect(() => driverSettings(url)).not.toThrow('secret');
  expect(SHARD_URL.isMet(url)).toBe(false);
});

it.each([
  ...['mysql://u:p@db/s', 'mysql://u@10.0.0.1:3307/s', 'mysql://u:p@[::1]/s', 'mysqls://u:p@db/s'],
  `mysql://u:p@db/${'s'.repeat(64)}`,
])('says of %s that it can be connected to', (url) => {
  expect(SHARD_URL.isMet(url)).toBe(true);
  expect(() => driverSettings(url)).not.toThrow();
});

it('bounds what a silent owner may keep, strictly and with the driver’s escapes', () => {
  const statements = sessionStatements();
  expect(statements).toContain('wait_timeout = 10');
  expect(statements).toContain('innodb_lock_wait_timeout = 3');
  expect(statements).toContain('STRICT_ALL_TABLES');
  expect(statements).toContain('READ COMMITTED');
  expect(statements).not.toContain('NO_BACKSLASH_ESCAPES');
  expect(statements).not.toContain('ANSI_QUOTES');
});
