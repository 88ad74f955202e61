import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runInProcess } from './spec-support.js';
import type { Ran } from './spec-support.js';

/** Without a system: whatever is answered here was answered before anything was opened. */
const surety = (...args: string[]): Promise<Ran> => runInProcess(args, { environment: {} });

describe('surety, called wrongly', () => {
  it.each([
    ['0s', 'It is 500ms or more.'],
    ['0', 'It is 500ms or more.'],
    ['499ms', 'It is 500ms or more.'],
    ['soon', 'It is a duration such as 500ms, 30s, 5m or 1h, 480h at most.'],
    ['481h', 'It is a duration such as 500ms, 30s, 5m or 1h, 480h at most.'],
  ])('refuses to look at a system again every %s', async (interval, precisely) => {
    const { code, out, err } = await surety('status', '--watch', interval);
    expect(err).toContain(`argument '${interval}' is invalid. ${precisely}`);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it.each([
    [['frobnicate'], '(surety --help says what there is)'],
    [['accounts', 'frobnicate'], '(surety accounts --help says what there is)'],
    [['check', '--frobnicate'], '(surety check --help says what it takes)'],
    [['accounts', 'show'], '(surety accounts show --help says what it takes)'],
    [
      ['accounts', 'show', 'a', '--entries', 'x'],
      '(surety accounts show --help says what it takes)',
    ],
  ])('tells %j where to read on', async (args, hint) => {
    const { code, err } = await surety(...args);
    expect(err.trimEnd().split('\n').at(-1)).toBe(hint);
    expect(code).toBe(2);
  });

  it.each(['90s', '2h', '481h', '30d', '36500d', '2026-01-31T10:00:00Z'])(
    'takes %s for how far back the audit log is read',
    async (since) => {
      expect((await surety('audit', 'list', '--since', since)).err).toContain('no system is known');
    },
  );

  it.each(['36501d', '1.5d', '2w', '-1d'])(
    'does not take %s for how far back the audit log is read',
    async (since) => {
      const { code, err } = await surety('audit', 'list', `--since=${since}`);
      expect(err).toContain('or an age (30m, 2h, 30d)');
      expect(code).toBe(2);
    },
  );

  it('takes the shortest interval', async () => {
    expect((await surety('status', '--watch', '500ms')).err).toContain('no system is known here');
  });
});

describe('surety --version', () => {
  const manifest = join(import.meta.dirname, '..', '..', 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

  it.each(['--version', 'version'])('is what %s answers, and nothing else', async (word) => {
    expect(await surety(word)).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });
});

describe('surety help', () => {
  it.each([[['check']], [['accounts']], [['accounts', 'freeze']], [['dlq', 'list']]])(
    'explains %j as --help does',
    async (words) => {
      const asked = await surety('help', ...words);
      expect(asked).toEqual(await surety(...words, '--help'));
      expect(asked.out).toMatch(new RegExp(`^Usage: surety ${words.join(' ')} `));
      expect(asked.code).toBe(0);
    },
  );

  it.each([[['frobnicate']], [['accounts', 'frobnicate']], [['check', 'frobnicate']]])(
    'does not take %j for a command',
    async (words) => {
      expect((await surety('help', ...words)).code).toBe(2);
    },
  );
});

describe('a system account', () => {
  it.each([
    ['accounts', 'show', '~external:3143:EUR'],
    ['accounts', 'freeze', '~transit:7:EUR', '--dry-run'],
    ['audit', 'list', '--account', '~external:3143:EUR'],
  ])('is explained by %s %s', async (...args) => {
    const { code, out, err } = await surety(...args);
    expect(err).toMatch(
      /^surety: ~\w+:\d+:EUR is a system account, whose balance is the sum of its legs: /,
    );
    expect(err).toContain('surety transfer show <id>');
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it.each(['~external', '~external:x:EUR', '~'])('is not %s', async (id) => {
    expect((await surety('accounts', 'show', id)).err).toContain('is not an account id');
  });
});
