import { userInfo } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { beginChange } from './change.js';
import type { ChangeOptions } from './change.js';
import type { CliHost } from './host.js';
import { CliError } from './output.js';

const nothing: ChangeOptions = { dryRun: false, yes: false, json: false };
const given: ChangeOptions = { ...nothing, reason: 'fraud desk, case 12', yes: true };

function hostOf(answers?: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const asked: string[] = [];
  const left = [...(answers ?? [])];
  const terminal = answers && {
    ask: async (question: string) => {
      asked.push(question);
      return left.shift() ?? '';
    },
    showLine: () => undefined,
  };
  const silent = (): void => undefined;
  const host: CliHost = {
    ...{ environment, directory: '/', print: silent, printError: silent },
    terminal,
  };
  return { host, asked };
}

describe('the permission to change something', () => {
  it('names the operator and the reason', async () => {
    const { host } = hostOf(undefined, { SURETY_OPERATOR: 'ann@bank' });
    expect(await beginChange(host, given)).toMatchObject({
      operator: 'ann@bank',
      actor: 'operator:ann@bank',
      reason: 'fraud desk, case 12',
    });
    const named = await beginChange(host, { ...given, operator: 'bob' });
    expect(named.actor).toBe('operator:bob');
  });

  it('falls back to the user of the operating system', async () => {
    const { host } = hostOf();
    expect((await beginChange(host, given)).operator).toBe(userInfo().username);
  });

  it.each<[string, Partial<ChangeOptions>, string]>([
    ['without --yes', { reason: 'x' }, 'add --yes'],
    ['without a reason', { yes: true }, 'add --reason'],
    ['with an empty reason', { yes: true, reason: ' \t' }, 'left empty'],
    ['with a reason of two lines', { yes: true, reason: 'a\nb' }, 'one line'],
    ['with a reason of 256 characters', { yes: true, reason: 'x'.repeat(256) }, 'at most 255'],
    ['with a name of two words', { ...given, operator: 'a b' }, "operator's name"],
    ['with an empty name', { ...given, operator: '' }, "operator's name"],
  ])('is refused where nobody can be asked, %s', async (_, options, message) => {
    const begun = beginChange(hostOf().host, { ...nothing, ...options });
    await expect(begun).rejects.toThrow(message);
    await expect(begun).rejects.toMatchObject({ exitCode: 2 });
  });

  it('takes a reason of 255 characters', async () => {
    const reason = 'x'.repeat(255);
    expect((await beginChange(hostOf().host, { ...given, reason })).reason).toBe(reason);
  });

  it('asks a person for the reason and once more before the change', async () => {
    const { host, asked } = hostOf([' chargeback ', 'y']);
    const change = await beginChange(host, nothing);
    expect(change.reason).toBe('chargeback');
    await change.confirm('Freeze alice?');
    expect(asked).toEqual(['Reason: ', 'Freeze alice? [y/N] ']);
  });

  it.each(['', 'n', 'no', 'yeah', 'j'])('takes %j for a no', async (answer) => {
    const { host } = hostOf([answer]);
    const change = await beginChange(host, { ...nothing, reason: 'x' });
    await expect(change.confirm('Freeze alice?')).rejects.toThrow(CliError);
  });

  it.each(['y', 'Y', 'yes', ' YES '])('takes %j for a yes', async (answer) => {
    const { host } = hostOf([answer]);
    const change = await beginChange(host, { ...nothing, reason: 'x' });
    await expect(change.confirm('Freeze alice?')).resolves.toBeUndefined();
  });

  it('asks nothing with --yes, and nothing in a dry run, which needs no reason', async () => {
    const { host, asked } = hostOf([]);
    await (await beginChange(host, given)).confirm('?');
    const dry = await beginChange(hostOf().host, { ...nothing, dryRun: true });
    await dry.confirm('?');
    expect(dry).toMatchObject({ dryRun: true, reason: '' });
    expect(asked).toEqual([]);
  });
});
