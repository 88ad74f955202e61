import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { CliError, EXIT } from './output.js';
import type { CliHost } from './host.js';
import { jsonOption } from './options.js';

/** Where changes come from, as audit_log has it: `operator.freeze`. */
export const OPERATOR = 'operator';

/** Longer ones do not fit audit_log. */
const REASON_LENGTH_MAX = 255;
const OPERATOR_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;

/** What commander hands over for a command that changes something. */
export interface ChangeOptions {
  readonly reason?: string;
  readonly operator?: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** Who changes what for which reason. What was done is audited with both. */
export interface Change {
  readonly operator: string;
  /** As it stands in events and in audit_log: `operator:NAME`. */
  readonly actor: string;
  /** Why, in the operator's words. A dry run, which changes nothing, may leave it empty. */
  readonly reason: string;
  readonly dryRun: boolean;
  readonly json: boolean;
  /**
   * Asks whether to go on; with `--yes`, and in a dry run, there is nothing to ask.
   * @throws CliError where the answer is no: nothing was changed.
   */
  confirm(question: string): Promise<void>;
}

/** The options of every command that changes something. */
export function changing(command: Command): Command {
  return command
    .option('--reason <text>', 'why; kept in the audit log (asked for where it is missing)')
    .option('--dry-run', 'say what would be changed and write nothing', false)
    .option('--yes', 'do not ask before changing; needed where there is no terminal', false)
    .option('--operator <name>', 'who changes it (default: SURETY_OPERATOR, else the user)')
    .addOption(jsonOption());
}

/**
 * The permission to change something: who, why, and a question before it is done.
 * @throws CliError where a change is meant and nobody can be asked for what is missing.
 */
export async function beginChange(host: CliHost, options: ChangeOptions): Promise<Change> {
  const operator = operatorName(host, options);
  const { dryRun, yes, json } = options;
  if (!dryRun && !yes && !host.terminal) {
    throw new CliError(
      'this changes the system and nobody can be asked here: add --yes, or look first with --dry-run',
    );
  }
  return {
    operator,
    actor: `${OPERATOR}:${operator}`,
    reason: await reasonOf(host, options),
    dryRun,
    json,
    confirm: async (question) => {
      if (!dryRun && !yes) await ask(host, question);
    },
  };
}

function operatorName(host: CliHost, { operator }: ChangeOptions): string {
  const name = operator ?? (host.environment['SURETY_OPERATOR'] || userName());
  if (OPERATOR_NAME.test(name)) return name;
  throw new CliError(
    `the operator's name ${JSON.stringify(name)} is not one of 1 to 64 characters A-Za-z0-9._@+-: ` +
      'give --operator NAME or set SURETY_OPERATOR',
  );
}

/** Empty where the system has no name for the user id, as in some containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

async function reasonOf({ terminal }: CliHost, { reason, dryRun }: ChangeOptions): Promise<string> {
  if (reason !== undefined) return checkedReason(reason);
  if (dryRun) return '';
  if (!terminal) throw new CliError('every change needs a reason: add --reason TEXT');
  return checkedReason(await terminal.ask('Reason: '));
}

function checkedReason(text: string): string {
  const reason = text.trim();
  if (reason === '') throw new CliError('every change needs a reason: it was left empty');
  if (reason.length <= REASON_LENGTH_MAX && !/\p{Cc}/u.test(reason)) return reason;
  throw new CliError(`the reason is one line of at most ${REASON_LENGTH_MAX} characters`);
}

async function ask({ terminal }: CliHost, question: string): Promise<void> {
  const answer = await terminal?.ask(`${question} [y/N] `);
  if (/^y(es)?$/i.test(answer?.trim() ?? '')) return;
  throw new CliError('not confirmed: nothing was changed', EXIT.failed);
}
