import type { Command } from 'commander';
import { errorLine } from '@surety/runtime';
import { beginChange, changing } from './change.js';
import type { ChangeOptions } from './change.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { jsonOption, limitOption } from './options.js';
import { EXIT, toJson } from './output.js';
import {
  correctOnce,
  printCorrections,
  printRecent,
  recentRepairs,
} from './reconcile-corrections.js';
import { printSweeps, sweepOnce } from './reconcile-sweeps.js';
import { withShards } from './session.js';
import type { Session } from './session.js';

const FULL = 'look at everything that ever happened, not only at what is new or open';
const FULL_NOTE =
  'Without --full it looks at what has happened since the verified point and at what is open, as ' +
  'surety check does, and says so. As long as the last look at everything found something, it looks ' +
  'at everything: what is known to be broken is not left out.';
const LOOKED_AT_JSON = 'form: "since" | "full", since, at, lastFull: { at, findings } | null,';

export function registerReconcile(program: Command, { host, exit }: CommandContext): void {
  const reconcile = program
    .command('reconcile')
    .description('sets right what has one right answer, drives on what stands still');
  const run = reconcile
    .command('run')
    .description('corrects what contradicts itself, then runs all sweeps over all shards, now')
    .option('--full', FULL, false);
  changing(run).action(async (options: RunOptions) => {
    exit(await runReconcile(host, options));
  });
  explainRun(run);
  const report = reconcile
    .command('report')
    .description('what run would correct, and refuse, and what was repaired lately')
    .option('--full', FULL, false)
    .addOption(limitOption('repairs of late', 20))
    .addOption(jsonOption())
    .action(async (options: ReportOptions) => {
      exit(await runReport(host, options));
    });
  explained(report, {
    notes: [
      'Changes no money: it judges each row under the locks of a correction, and lets go.',
      FULL_NOTE,
    ],
    json: [
      `{ corrections: { ${LOOKED_AT_JSON}`,
      '                 corrected: [...], refused: [...], isCut },',
      '  recent: [{ createdAt, shard, actor, action, transferId, accountId, reason, before, after }] }',
    ],
    exitCodes: {
      '0': 'of what was looked at nothing is to be corrected and nothing is refused',
      '1': 'something is',
      '2': 'the command could not run, or was called wrongly',
    },
    examples: [
      ['surety reconcile report', 'what stands wrong among what is new or open'],
      ['surety reconcile report --full --json', 'everything, for machines'],
    ],
  });
}

function explainRun(run: Command): void {
  explained(run, {
    notes: [
      'A correction is made where the rows themselves leave one right answer: a balance by a sound ' +
        'ledger, a held total by its holds, a state, a hold and the list of open transfers by the ' +
        'events, a projection by the truth. What leaves none is refused, with the reason: legs, ' +
        'events, decisions and keys are never written again.',
      'Each correction locks its rows, reads the evidence again and is one transaction with its line ' +
        'of the audit log. The sweeps are steps that take effect once, whoever takes them: both work ' +
        'beside a running system.',
      FULL_NOTE,
    ],
    json: [
      `{ dryRun, corrections: { ${LOOKED_AT_JSON}`,
      '                         corrected: [{ shard, key, before, after }],',
      '                         refused: [{ shard, key, check, problem, why }], isCut },',
      '  repairs: [{ kind, cause, shard, slot, transferId, before, after }],',
      '  troubles: [{ kind, shard, transferId, message, error }] }',
    ],
    exitCodes: {
      '0': 'what was found wrong was set right, what stood still was driven on',
      '1': 'something was refused or could not be put right, and says why',
      '2': 'the command could not run, or was called wrongly',
    },
    examples: [
      ['surety reconcile run --dry-run', 'what would be done'],
      ['surety reconcile run --full --reason "restored a backup" --yes', 'everything, now'],
    ],
  });
}

interface RunOptions extends ChangeOptions {
  readonly full: boolean;
}

async function runReconcile(host: CliHost, options: RunOptions): Promise<number> {
  const change = await beginChange(host, options);
  const { dryRun, json, full } = options;
  return withShards(host, async (session) => {
    await change.confirm('Correct what has one right answer and run all sweeps, over all shards?');
    const { actor, reason } = change;
    const form = full ? 'full' : 'since';
    const corrections = await tryToCorrect(session, { actor, reason, dryRun, form });
    const sweeps = await sweepOnce(session, { author: { actor, reason }, dryRun });
    if (json) host.print(toJson({ dryRun, corrections, ...sweeps }));
    else {
      if ('error' in corrections) host.print(`nothing was corrected: ${corrections.error}`);
      else host.print(printCorrections(corrections, dryRun));
      host.print(printSweeps(sweeps, dryRun));
    }
    const isClean = !('error' in corrections) && corrections.refused.length === 0;
    return isClean && sweeps.troubles.length === 0 ? EXIT.ok : EXIT.found;
  });
}

/** A shard that is away keeps the corrections from what they have to know; the sweeps go on. */
async function tryToCorrect(
  session: Session,
  options: Parameters<typeof correctOnce>[1],
): Promise<Awaited<ReturnType<typeof correctOnce>> | { readonly error: string }> {
  try {
    return await correctOnce(session, options);
  } catch (error) {
    return { error: errorLine(error) };
  }
}

interface ReportOptions {
  readonly json: boolean;
  readonly full: boolean;
  readonly limit: number;
}

function runReport(host: CliHost, { json, full, limit }: ReportOptions): Promise<number> {
  return withShards(host, async (session) => {
    const author = { actor: 'operator', reason: 'report' };
    const form = full ? 'full' : 'since';
    const corrections = await correctOnce(session, { ...author, form, dryRun: true });
    const recent = await recentRepairs(session, limit);
    if (json) host.print(toJson({ corrections, recent }));
    else host.print(`${printCorrections(corrections, true)}\n\n${printRecent(recent)}`);
    const { corrected, refused } = corrections;
    return corrected.length + refused.length > 0 ? EXIT.found : EXIT.ok;
  });
}
