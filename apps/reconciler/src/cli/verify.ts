import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { Shard } from '@surety/db';
import { verifyShard } from '../seals/verify-shard.js';
import type { ShardVerification } from '../seals/verify-shard.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption, wholeNumber } from './options.js';
import { CliError, EXIT, toJson } from './output.js';
import { printVerifications } from './print-verification.js';
import { Progress } from './progress.js';
import { withShards } from './session.js';

const SHARD_MAX = 65_535;
const SEAL_MAX = 999_999_999;

interface Anchor {
  readonly shard: number;
  readonly seal: bigint;
  readonly hash: string;
}

interface VerifyCommandOptions {
  readonly json: boolean;
  readonly shard?: number;
  readonly sinceSeal?: number;
  readonly anchor: readonly Anchor[];
}

export function registerVerify(program: Command, { host, exit }: CommandContext): void {
  const verify = program
    .command('verify')
    .description(
      'compares the ledger with its seals; names every altered, removed or inserted entry',
    )
    .addOption(new Option('--shard <n>', 'only this shard').argParser(wholeNumber(0, SHARD_MAX)))
    .addOption(
      new Option('--since-seal <n>', 'only what was sealed after this seal').argParser(
        wholeNumber(0, SEAL_MAX),
      ),
    )
    .addOption(
      new Option('--anchor <shard:seal:hash...>', 'hashes kept elsewhere that must still stand')
        .argParser(readAnchor)
        .default([], 'none'),
    )
    .addOption(jsonOption())
    .action(async (options: VerifyCommandOptions) => {
      exit(await runVerify(host, options));
    });
  explained(verify, {
    notes: [
      'The reconciler seals the ledger every SURETY_SEAL_INTERVAL: what was sealed can be proven, what was posted since is looked through for what no seal would take. Nothing is changed.',
      'Whoever can write every table can make all seals anew. An anchor shows that: a hash that this command or the log of the reconciler printed earlier ("ledger sealed"), kept where the database cannot reach.',
      '--since-seal compares later seals only, and leaves out the search for legs that no account counts.',
    ],
    json: [
      '{ ok, shards: [{ shard, seals, entries, unsealedEntries, head: { seal, hash, sealedAt },',
      '  findingsTotal, ms, findings: [{ kind, subject, account, entrySeq, transferId, step, seal,',
      '  problem, detail }] }] }',
    ],
    exitCodes: {
      '0': 'the ledger is what was sealed',
      '1': 'at least one row is not; each is named',
      '2': 'the ledger could not be read: nothing is known',
    },
    examples: [
      ['surety verify', 'everything'],
      ['surety verify --since-seal 1200', 'what was sealed after seal 1200'],
      ["surety verify --json | jq '.shards[].findings[]'", 'the findings, for machines'],
      ['surety verify --anchor 0:1200:5dc9da79…', 'also against a hash that was kept'],
    ],
  });
}

function readAnchor(text: string, before: readonly Anchor[]): readonly Anchor[] {
  const match = /^([0-9]{1,5}):([0-9]{1,18}):([0-9a-f]{64})$/.exec(text);
  if (!match) throw new InvalidArgumentError('It is shard:seal:hash, the hash of 64 hex digits.');
  const [, shard, seal, hash] = match as unknown as [string, string, string, string];
  return [...before, { shard: Number(shard), seal: BigInt(seal), hash }];
}

/** One shard after the other: a verification is long, and not worth two snapshots at once. */
async function runVerify(host: CliHost, options: VerifyCommandOptions): Promise<number> {
  return withShards(host, async ({ pools }) => {
    const results: ShardVerification[] = [];
    for (const shard of chosen(pools.shards, options)) {
      const progress = new Progress(host, `shard ${shard.id}, seals compared`);
      const result = await verifyShard(shard, {
        ...(options.sinceSeal === undefined ? {} : { sinceSeal: BigInt(options.sinceSeal) }),
        anchors: options.anchor.filter((anchor) => anchor.shard === shard.id),
        onProgress: ({ seal, lastSeal }) => {
          progress.at(seal, lastSeal);
        },
      });
      progress.end();
      results.push(result);
    }
    const ok = results.every(({ findingsTotal }) => findingsTotal === 0);
    host.print(options.json ? toJson({ ok, shards: results }) : printVerifications(results));
    return ok ? EXIT.ok : EXIT.found;
  });
}

function chosen(
  shards: readonly Shard[],
  { shard, anchor }: VerifyCommandOptions,
): readonly Shard[] {
  const stray = [shard ?? 0, ...anchor.map((one) => one.shard)].find((id) => !shards[id]);
  if (stray !== undefined) throw new CliError(`there is no shard ${stray}`);
  return shard === undefined ? shards : shards.filter(({ id }) => id === shard);
}
