import type { Command } from 'commander';
import { sleep } from '@surety/runtime';
import { explained } from './help.js';
import type { CliHost, CommandContext } from './host.js';
import { durationFrom, jsonOption } from './options.js';
import { EXIT, toJson } from './output.js';
import { withShards } from './session.js';
import type { Session } from './session.js';
import { printStatus } from './status/print-status.js';
import { processAddresses } from './status/process-addresses.js';
import { askProcesses } from './status/processes.js';
import { patienceOf, statusReport } from './status/report.js';
import type { StatusReport } from './status/report.js';
import { readShardStatus } from './status/shard-status.js';

interface StatusOptions {
  readonly json: boolean;
  readonly watch?: number;
}

/** Each look asks every shard and every process: without a bound a watcher is a load on all of them. */
const WATCH_MIN_MS = 500;
const CLEAR_SCREEN = '\u001b[2J\u001b[H';

export function registerStatus(program: Command, { host, exit }: CommandContext): void {
  const status = program
    .command('status')
    .description('one screen: processes, lag, outbox, open transfers, holds, checks, leases')
    .option(
      '--watch <interval>',
      'again after each interval (500ms or more), until interrupted',
      durationFrom(WATCH_MIN_MS),
    )
    .addOption(jsonOption())
    .action(async (options: StatusOptions) => {
      exit(await runStatus(host, options));
    });
  explained(status, {
    notes: [
      'Everything is read from the shards as it stands now; lag and readiness are asked from the ' +
        'processes. Where these are: those of `npm start` are found by themselves, elsewhere ' +
        'SURETY_PROCESSES names them (name=http://host:port, comma separated). Where neither says ' +
        'anything, they are unknown, and the rest is shown.',
      'Last come the lines that a person should look at: a process that is not ready, a step that no ' +
        'worker process runs (SURETY_WORKER_STEPS), a shard that is away, an outbox older than SURETY_STALL_TIMEOUT, a transfer that stands open for longer than ' +
        'twice HOLD_TIMEOUT and 30 s, an open dead letter, a finding of the last full check, a lease ' +
        'that nobody holds. Any of them makes the exit code 1.',
    ],
    json: [
      '{ at, attention: [text],',
      '  processes: [{ name, url, state, trouble, uptimeSeconds, version, lagMessages,',
      '    steps: { hold, credit, settle } or null }] or null,',
      '  shards: [{ id, answers, outbox: { rows, oldestAgeSeconds, isMore },',
      '    open: { byState, oldest: { transferId, ageSeconds } },',
      '    held: [...], openDeadLetters, checked: { verifiedAt, fullAt, fullFindings, now },',
      '    leases: [{ name, holder, token, expiresAt, isHeld }] }],',
      '  held: [{ currency, sumMinor, holds }] }',
    ],
    exitCodes: {
      '0': 'nothing stands out',
      '1': 'something should be looked at',
      '2': 'no shard answers, or the command was called wrongly',
    },
    examples: [
      ['surety status', 'how the system is'],
      ['surety status --watch 5s', 'the same every five seconds'],
      ["surety status --json | jq '.shards[].outbox'", 'how much waits to be published'],
    ],
  });
}

async function runStatus(host: CliHost, { json, watch }: StatusOptions): Promise<number> {
  return withShards(host, async (session) => {
    for (;;) {
      const report = await gather(host, session);
      const text = json ? toJson(report) : printStatus(report, session.currencies);
      host.print(watch !== undefined && host.terminal && !json ? `${CLEAR_SCREEN}${text}` : text);
      const code = report.attention.length > 0 ? EXIT.found : EXIT.ok;
      if (watch === undefined || host.signal?.aborted === true) return code;
      await sleep(watch, host.signal);
    }
  });
}

async function gather(host: CliHost, session: Session): Promise<StatusReport> {
  const addresses = processAddresses(host);
  const [processes, shards] = await Promise.all([
    addresses.length > 0 ? askProcesses(addresses) : null,
    Promise.all(session.pools.shards.map(readShardStatus)),
  ]);
  const at = new Date().toISOString();
  return statusReport({ at, processes, shards }, patienceOf(session.config));
}
