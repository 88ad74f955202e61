import { expect, it } from '@jest/globals';
import { MigrationError, withoutStatement } from './migration-error.js';

const URL_OF_SHARD = 'mysql://migrator:secret@db.example:3307/surety_1';

it('says which shard, where it is, and what its server said', () => {
  const cause = new Error('Unknown database');
  const error = new MigrationError(1, URL_OF_SHARD, cause);
  expect(error.message).toBe('shard 1 (db.example:3307/surety_1): Unknown database');
  expect(error.cause).toBe(cause);
});

it.each([
  ['mysql://u:p@db/s', 'db:3306/s'],
  ['mysqls://u:p@db:3307/s', 'db:3307/s'],
  ['mysql://u:p@[::1]/s', '[::1]:3306/s'],
])('calls %s %s', (url, place) => {
  expect(new MigrationError(0, url, new Error('away')).message).toBe(`shard 0 (${place}): away`);
});

it('gives the code of what has no message: a name with several addresses fails for each of them', () => {
  const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
  expect(new MigrationError(0, URL_OF_SHARD, refused).message).toMatch(/: ECONNREFUSED$/);
});

it('leaves out the statement, and only that', () => {
  const sqlMessage = "Table 'placement' doesn't exist";
  const error = Object.assign(new Error(`SELECT 1 - ${sqlMessage}`), { sqlMessage });
  expect(withoutStatement(error)).toBe(error);
  expect(error.message).toBe(sqlMessage);
  const other = new Error('connect ETIMEDOUT');
  expect(withoutStatement(other)).toBe(other);
  expect(other.message).toBe('connect ETIMEDOUT');
  expect(withoutStatement(undefined)).toBeUndefined();
});
