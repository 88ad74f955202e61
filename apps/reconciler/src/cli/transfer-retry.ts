import type { Command } from 'commander';
import { isEnded } from '@surety/domain';
import { sendAgain } from '@surety/saga';
import { changing } from './change.js';
import type { Change, ChangeOptions } from './change.js';
import { endByDecision, envelopeOf, follow, noteOf, storedEvent, withTransfer } from './driving.js';
import type { Standing } from './driving.js';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { CliError, EXIT, toJson } from './output.js';
import type { Session } from './session.js';

export function registerTransferRetry(transfer: Command, { host, exit }: CommandContext): void {
  const retry = transfer
    .command('retry')
    .description('drives a transfer on now, with the step that the reconciler would take')
    .argument('<id>', 'the transactionId of the 202 answer');
  changing(retry).action(async (id: string, options: ChangeOptions) => {
    exit(await runTransferRetry(host, id, options));
  });
  explained(retry, {
    notes: [
      'What is done depends on what stands there. Where the destination has decided, the decision is ' +
        'followed at the source: credited is committed, refused and voided are released. Where it ' +
        'has not, the stored event that asks for the next step is sent again, same id, same bytes: a ' +
        'receiver that had it changes nothing. A transfer that has ended is left alone.',
      'The reconciler does the same by itself after SURETY_STALL_TIMEOUT; this command does not wait ' +
        'for that, nor for its pause between two attempts.',
    ],
    json: [
      '{ dryRun, transferId, before, decision,',
      '  action: commit, release, send_again or nothing, event, after }',
    ],
    exitCodes: {
      '0': 'driven on, or nothing to do (in a dry run: would be)',
      '1': 'it cannot be driven on: a row is missing or contradicts another one',
      '2': 'the command could not run: repeat it, it is safe to repeat',
    },
    examples: [
      ['surety transfer retry ID --dry-run', 'which step would be taken'],
      ['surety transfer retry ID --reason "topic was deleted"', 'asks, then takes it'],
    ],
  });
}

async function runTransferRetry(
  host: CliHost,
  text: string,
  options: ChangeOptions,
): Promise<number> {
  return withTransfer(host, { text, options }, async ({ session, standing, change }) => {
    const { id, state } = standing.transfer;
    const plan = planOf(standing);
    if (plan.action !== 'nothing') {
      await change.confirm(`${id} is ${state}: ${describe(plan)}?`);
      if (!change.dryRun) await take(session, { standing, plan, change });
    }
    tell(host, { standing, plan, change });
    return EXIT.ok;
  });
}

interface Plan {
  readonly action: 'commit' | 'release' | 'send_again' | 'nothing';
  /** The step whose event is followed or sent. */
  readonly step: number;
  readonly after: string;
}

const STEP_OF = { requested: 10, held: 20 } as const;
const DECIDED = 30;

function planOf(standing: Standing): Plan {
  const { state } = standing.transfer;
  if (isEnded(state)) return { action: 'nothing', step: 0, after: state };
  const end = endByDecision(standing);
  if (!end) return { action: 'send_again', step: STEP_OF[state], after: state };
  return { action: end === 'committed' ? 'commit' : 'release', step: DECIDED, after: end };
}

function describe({ action, step, after }: Plan): string {
  switch (action) {
    case 'commit':
    case 'release':
      return `${action} it, which makes it ${after}`;
    case 'send_again':
      return `send its event of step ${step} again`;
    case 'nothing':
      return 'nothing to do';
    default:
      return action satisfies never;
  }
}

interface Retry {
  readonly standing: Standing;
  readonly plan: Plan;
  readonly change: Change;
}

async function take(session: Session, { standing, plan, change }: Retry): Promise<void> {
  const { source, destination, transfer } = standing;
  const isDecided = plan.step === DECIDED;
  const event = await storedEvent(isDecided ? destination : source, transfer.id, plan.step);
  const envelope = envelopeOf(event);
  if (!isDecided) {
    const stored = { envelope, encoded: event.envelope };
    await sendAgain(source.store, [stored], { actor: change.actor, audit: noteOf(change) });
    return;
  }
  const result = await follow(session, envelope, change);
  if (result.kind !== 'alarm') return;
  throw new CliError(
    `${envelope.id} met ${result.alarm}: nothing was changed, see surety check`,
    EXIT.found,
  );
}

function tell(host: CliHost, { standing, plan, change }: Retry): void {
  const { id, state: before } = standing.transfer;
  const { dryRun } = change;
  const { action, step, after } = plan;
  const decision = standing.decision?.decision.outcome ?? null;
  if (change.json) {
    const event = action === 'nothing' ? null : `${id}/${step}`;
    host.print(toJson({ dryRun, transferId: id, before, decision, action, event, after }));
  } else if (action === 'nothing') {
    host.print(`transfer ${id} is ${before} already: nothing to do`);
  } else if (dryRun) {
    host.print(`transfer ${id} is ${before}: would ${describe(plan)}`);
  } else if (action === 'send_again') {
    host.print(`transfer ${id} is ${before}: its event of step ${step} is in the outbox again`);
  } else {
    host.print(`transfer ${id} is ${after} (it was ${before})`);
  }
}
