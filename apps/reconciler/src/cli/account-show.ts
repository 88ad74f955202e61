import type { Command } from 'commander';
import { findAccount, listEntries, readBalance } from '@surety/db';
import type { BalanceRow, LedgerEntry, StoredAccount } from '@surety/db';
import { availableMinor } from '@surety/domain';
import type { CurrencyTable, ShardId } from '@surety/domain';
import { assertAccountId, shardOfAccount } from './account-id.js';
import { amountText } from './amount-text.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption, wholeNumber } from './options.js';
import { CliError, EXIT, toJson } from './output.js';
import { withShards } from './session.js';
import { table } from './table.js';

const ENTRIES_MAX = 1_000;
const ENTRIES = 10;

interface ShowOptions {
  readonly json: boolean;
  readonly entries: number;
}

export interface AccountStory {
  readonly shard: ShardId;
  readonly account: StoredAccount;
  readonly availableMinor: bigint;
  /** What readers see; null where no event has changed the account yet. */
  readonly projection: BalanceRow | null;
  /** Newest first. */
  readonly entries: readonly LedgerEntry[];
}

export function registerAccountShow(accounts: Command, { host, exit }: CommandContext): void {
  const show = accounts
    .command('show')
    .description('an account as its shard has it: money, status, projection, last entries')
    .argument('<id>', 'the accountId')
    .option(
      '--entries <n>',
      'how many of its last ledger entries',
      wholeNumber(0, ENTRIES_MAX),
      ENTRIES,
    )
    .addOption(jsonOption())
    .action(async (id: string, options: ShowOptions) => {
      exit(await runAccountShow(host, id, options));
    });
  explained(show, {
    notes: [
      'Balance and held are read from the account itself, the authority on money. The projection is ' +
        'what clients are told where they ask for a copy; it may be behind by what the projector has ' +
        'yet to handle, and is never ahead. `surety check` proves that the balance is the sum of all ' +
        'entries.',
    ],
    json: [
      '{ shard, availableMinor,',
      '  account: { id, slot, type, owner, tenant, currency, status, debitsBlocked,',
      '    creditsBlocked, balance, held, overdraftLimit, version, entrySeq, metadata, createdAt },',
      '  projection: { balance, held, version, updatedAt, ... } or null,',
      '  entries: [{ entrySeq, transferId, step, minor, balanceAfter, currency, postedAt }] }',
      'Sums are strings of minor units.',
    ],
    examples: [
      ['surety accounts show ACC001', 'its money, its status and its last ten entries'],
      ["surety accounts show ACC001 --json | jq -r '.account.status'", 'whether it is frozen'],
    ],
  });
}

async function runAccountShow(
  host: CliHost,
  id: string,
  { json, entries: limit }: ShowOptions,
): Promise<number> {
  assertAccountId(id);
  return withShards(host, async (session) => {
    const shard = shardOfAccount(session, id);
    const [account, projection, entries] = await Promise.all([
      findAccount(shard, id),
      readBalance(shard, id),
      limit > 0 ? listEntries(shard, id, undefined, limit) : [],
    ]);
    if (!account) throw new CliError(`there is no account ${id}`, EXIT.found);
    const story: AccountStory = {
      ...{ shard: shard.id, account, entries },
      availableMinor: availableMinor(account),
      projection: projection ?? null,
    };
    host.print(json ? toJson(story) : printAccount(story, session.currencies));
    return EXIT.ok;
  });
}

export function printAccount(story: AccountStory, currencies: CurrencyTable): string {
  const { account, projection, entries, shard } = story;
  const amount = (minor: bigint): string => amountText(minor, account.currency, currencies);
  const lines = [
    `account      ${account.id} (${account.type})`,
    `status       ${statusText(account)}`,
    `balance      ${amount(account.balance)}`,
    `held         ${amount(account.held)}`,
    `available    ${amount(story.availableMinor)}`,
    `overdraft    ${amount(account.overdraftLimit)}`,
    `owner        ${account.owner ?? 'none'}`,
    `tenant       ${account.tenant}`,
    `shard        ${shard}, slot ${account.slot}`,
    `version      ${account.version}, ${account.entrySeq} entries`,
    `projection   ${projectionText(story, projection, amount)}`,
    `opened       ${account.createdAt}`,
    ...(account.metadata === null ? [] : [`metadata     ${account.metadata}`]),
  ];
  if (entries.length > 0) lines.push('', entriesTable(entries, amount));
  return lines.join('\n');
}

function statusText({ status, debitsBlocked, creditsBlocked }: StoredAccount): string {
  const blocked = [debitsBlocked && 'debits blocked', creditsBlocked && 'credits blocked'];
  return [status, ...blocked].filter((part) => part !== false).join(', ');
}

function projectionText(
  { account }: AccountStory,
  projection: BalanceRow | null,
  amount: (minor: bigint) => string,
): string {
  if (!projection) return account.version === 0n ? 'none yet, nothing has changed' : 'none';
  const behind = account.version - projection.version;
  if (behind === 0n) return `the same, version ${projection.version}`;
  const sums = `balance ${amount(projection.balance)}, held ${amount(projection.held)}`;
  return `${sums}, version ${projection.version} (${behind} behind)`;
}

function entriesTable(entries: readonly LedgerEntry[], amount: (minor: bigint) => string): string {
  return table(
    ['entry', 'time', 'transfer', 'step', 'leg', 'balance after'],
    entries.map(({ entrySeq, postedAt, transferId, step, minor, balanceAfter }) => [
      ...[entrySeq, postedAt, transferId, step],
      ...[amount(minor), amount(balanceAfter)],
    ]),
  );
}
