import type { Command } from 'commander';
import { findAccount } from '@surety/db';
import { decideAccountStatus } from '@surety/domain';
import type { AccountStatusCommand, AccountStatusOutcome } from '@surety/domain';
import { changeAccountStatus } from '@surety/saga';
import { assertAccountId, shardOfAccount } from './account-id.js';
import { OPERATOR, beginChange, changing } from './change.js';
import type { Change, ChangeOptions } from './change.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { CliError, EXIT, toJson } from './output.js';
import { withShards } from './session.js';
import type { Session } from './session.js';

const FREEZE_NOTES = [
  'A frozen account makes no new hold and receives nothing: transfers from it are rejected ' +
    '(source_frozen), transfers to it are refused (destination_frozen) and released at their ' +
    'source. What is held on it already is committed or released all the same. Balance, held and ' +
    'version stay as they are.',
  'The status is changed under the row lock of the account: a transfer that comes after it meets ' +
    'the new status.',
];

export function registerAccountFreeze(accounts: Command, context: CommandContext): void {
  const freeze = accounts
    .command('freeze')
    .description('no new holds on the account and no credits to it, until it is unfrozen');
  register(freeze, 'freeze', context);
  explained(freeze, {
    notes: [...FREEZE_NOTES, 'An account that is frozen already stays so (exit code 0).'],
    json: JSON_SHAPE,
    exitCodes: CODES,
    examples: [
      ['surety accounts freeze ACC001 --dry-run', 'what it would change'],
      [
        'surety accounts freeze ACC001 --reason "court order 4711"',
        'asks once more, then freezes it',
      ],
      [
        'surety accounts freeze ACC001 --reason "court order 4711" --operator ann --yes',
        'from a script, in the name of ann',
      ],
    ],
  });
  const unfreeze = accounts.command('unfreeze').description('takes a freeze back');
  register(unfreeze, 'unfreeze', context);
  explained(unfreeze, {
    notes: ['A closed account is not opened by it, and an open one stays open (exit code 0).'],
    json: JSON_SHAPE,
    exitCodes: CODES,
    examples: [
      ['surety accounts unfreeze ACC001 --reason "order lifted"', 'asks once more, then opens it'],
    ],
  });
}

const JSON_SHAPE = ['{ dryRun, account, changed, before, after, refused: null or why }'];
const CODES = {
  '0': 'the account has that status now (in a dry run: would have it)',
  '1': 'refused: there is no such account, or it is closed',
  '2': 'the command could not run, or was called wrongly',
} as const;

function register(
  command: Command,
  verb: AccountStatusCommand,
  { host, exit }: CommandContext,
): void {
  changing(command.argument('<id>', 'the accountId')).action(
    async (id: string, options: ChangeOptions) => {
      exit(await runStatusChange(host, { id, verb }, options));
    },
  );
}

interface StatusChange {
  readonly id: string;
  readonly verb: AccountStatusCommand;
}

async function runStatusChange(
  host: CliHost,
  wanted: StatusChange,
  options: ChangeOptions,
): Promise<number> {
  assertAccountId(wanted.id);
  const change = await beginChange(host, options);
  return withShards(host, async (session) => {
    const { id, verb } = wanted;
    const shard = shardOfAccount(session, id);
    const account = await findAccount(shard, id);
    if (!account) throw new CliError(`there is no account ${id}`, EXIT.found);
    const before = account.status;
    const expected = decideAccountStatus(account, verb);
    if (expected.kind === 'changed') {
      await change.confirm(`${verb} account ${id}, which is ${before}?`);
    }
    const result = change.dryRun
      ? { outcome: expected, before }
      : await changeNow(session, wanted, change);
    return answer(host, { change, id, ...result });
  });
}

function changeNow(session: Session, { id, verb }: StatusChange, change: Change) {
  return changeAccountStatus(shardOfAccount(session, id).store, {
    ...{ accountId: id, command: verb, actor: change.actor },
    audit: { via: OPERATOR, reason: change.reason },
  });
}

function answer(
  host: CliHost,
  told: {
    readonly change: Change;
    readonly id: string;
    readonly outcome: AccountStatusOutcome;
    readonly before: string | null;
  },
): number {
  const { change, id, outcome, before } = told;
  const after = outcome.kind === 'changed' ? outcome.status : before;
  const refused = outcome.kind === 'refused' ? outcome.because : null;
  const { dryRun } = change;
  const changed = outcome.kind === 'changed' && !dryRun;
  if (change.json) host.print(toJson({ dryRun, account: id, changed, before, after, refused }));
  else host.print(textOf({ id, before, after, dryRun, outcome }));
  return refused === null ? EXIT.ok : EXIT.found;
}

function textOf(told: {
  readonly id: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly dryRun: boolean;
  readonly outcome: AccountStatusOutcome;
}): string {
  const { id, before, after, dryRun, outcome } = told;
  switch (outcome.kind) {
    case 'changed':
      return `account ${id} ${dryRun ? 'would be' : 'is'} ${after ?? ''} (it was ${before ?? ''})`;
    case 'unchanged':
      return `account ${id} is ${before ?? ''} already: nothing to change`;
    case 'refused':
      return `account ${id} stays ${before ?? 'absent'}: ${outcome.because}`;
    default:
      return outcome satisfies never;
  }
}
