import { FAULT_KINDS, SHARD_SERVERS } from './plan.js';
import { figuresOf } from './recovery.js';
import type { Recovery } from './recovery.js';
import type { ChaosResult } from './run.js';

type Cell = string | number;
type Fault = ChaosResult['faults'][number];

/** Lines of the report between its marks in docs/reliability.md. */
export const REPORT_BEGINS = '<!-- chaos report -->';
export const REPORT_ENDS = '<!-- end of the chaos report -->';

/** The result for people, in Markdown. */
export function reportOf(result: ChaosResult): string {
  const parts = [
    introduction(result),
    table(['fault', 'count', 'length', 'not possible'], faultRows(result)),
    wires(result),
    'Transfers and answers, as the clients saw them:',
    table(['what', 'count'], loadRows(result)),
    'What was compared after the end, and what it said:',
    table(['what', 'outcome'], outcomeRows(result)),
    'Time from a kill -9 under load until transfers of every partition, begun after it, had ended:',
    table(
      [
        'process',
        'nothing else wrong: kills',
        'just before the kill',
        'median',
        'longest',
        'among other faults: kills',
        'median',
        'longest',
      ],
      recoveryRows(result.recoveries),
    ),
    violations(result),
  ];
  return parts.join('\n\n');
}

function introduction(result: ChaosResult): string {
  const { startedAt, cores, versions, faults, minutes } = result;
  const on = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `\`${commandOf(result)}\` on ${startedAt.slice(0, 10)}:`,
    `${done(faults).length} faults in ${minutes} minutes, on ${cores} cores that also ran the`,
    `clients, the proxies and every server. ${on.join(', ')}.`,
  ].join(' ');
}

/** What does the same again. */
function commandOf({ minutes, seed, faultsPerMinute, engine }: ChaosResult): string {
  const rate = `--faults-per-minute ${faultsPerMinute}`;
  const on = engine === 'mysql' ? ' --mysql' : '';
  return `npm run chaos -- --minutes ${minutes} --seed ${seed} ${rate}${on}`;
}

function done(faults: readonly Fault[]): readonly Fault[] {
  return faults.filter((fault) => fault.error === undefined);
}

/** Losing a database is another promise than losing Kafka or Redis: each has a row of its own. */
const SERVER_NAMES: readonly (readonly [name: string, targets: readonly string[]])[] = [
  ['database', SHARD_SERVERS],
  ['Kafka', ['kafka']],
  ['Redis', ['redis']],
];

function faultRows({ faults }: ChaosResult): Cell[][] {
  const rows = FAULT_KINDS.flatMap((kind) => {
    const ofKind = faults.filter((fault) => fault.kind === kind);
    return kind === 'server killed' ? serverRows(ofKind) : [faultRow(kind, ofKind)];
  });
  return rows.filter(([, count, , failed]) => count !== 0 || failed !== 0);
}

function serverRows(killed: readonly Fault[]): Cell[][] {
  return SERVER_NAMES.map(([name, targets]) => {
    const ofServer = killed.filter(({ target }) => targets.includes(target));
    return faultRow(`server killed: ${name}`, ofServer);
  });
}

function faultRow(name: string, ofKind: readonly Fault[]): Cell[] {
  const lengths = done(ofKind).map((fault) => Math.max(fault.lengthMs, 0));
  const isLong = lengths.some((length) => length > 0);
  const range = `${seconds(Math.min(...lengths))} to ${seconds(Math.max(...lengths))}`;
  return [name, lengths.length, isLong ? range : '', ofKind.length - lengths.length];
}

function wires({ wires: counts, latestMs }: ChaosResult): string {
  const { cut, refused, statementsFailed, bytesSwallowed } = counts;
  return (
    `The proxies cut ${cut} connections, refused ${refused}, swallowed ${bytesSwallowed} bytes ` +
    `and answered ${statementsFailed} statements with errors. The process that they share with ` +
    `the clients had to wait for a core for up to ${seconds(latestMs)}, and every server with it.`
  );
}

function loadRows({ load }: ChaosResult): Cell[][] {
  return [
    ['transfers submitted', load.submitted],
    ['acknowledged (202)', load.acknowledged],
    ['committed', load.committed],
    ['rejected', load.rejected],
    ['cancelled', load.cancelled],
    ['cancels asked for', load.cancelsAsked],
    ['deposits and withdrawals', load.fundings],
    ['batches submitted', load.batches],
    ['their members', load.members],
    ['batches sent again with the same keys', load.batchesSentAgain],
    ['bad requests among their members, refused', load.badRequestsRefused],
    ['keys used again for another request, refused', load.reusesRefused],
    ['answers that never came (asked again with the same key)', load.unknown],
  ];
}

function outcomeRows(result: ChaosResult): Cell[][] {
  const { lastEndMs, commands, counts, replay, violations: found } = result;
  return [
    ['acknowledged and lost', counts['lost'] ?? 0],
    ['one key, several transfers', counts['doubled'] ?? 0],
    ['transfers with their histories in the tables', counts['transfers'] ?? 0],
    ['answers that took a member of a batch', counts['membersTaken'] ?? 0],
    ['statuses that clients saw, compared with the ends', counts['statusesCompared'] ?? 0],
    ['legs of the ledger added up', counts['legs'] ?? 0],
    ['last transfer ended after the healing', seconds(lastEndMs)],
    ...commands.map((line) => line.split(': ') as Cell[]),
    ...(replay
      ? [
          ['messages read again from zero', replay.messages],
          ['tables changed by it', `${replay.changed.length} of ${replay.tables}`],
        ]
      : []),
    ['broken promises in all', found.length],
  ];
}

function recoveryRows(recoveries: readonly Recovery[]): Cell[][] {
  const alone = figuresOf(recoveries.filter((one) => one.wasAlone));
  const among = figuresOf(recoveries.filter((one) => !one.wasAlone));
  const names = [...new Set(recoveries.map((one) => one.process))].sort();
  const shown = (ms: number | undefined): string => (ms === undefined ? '' : seconds(ms));
  return names.map((name) => {
    const own = alone.find((one) => one.process === name);
    const other = among.find((one) => one.process === name);
    return [
      ...[name, own?.count ?? 0, shown(own?.beforeMs), shown(own?.medianMs), shown(own?.maxMs)],
      ...[other?.count ?? 0, shown(other?.medianMs), shown(other?.maxMs)],
    ];
  });
}

function violations({ violations: found, directory }: ChaosResult): string {
  if (found.length === 0) return 'Every promise was kept.';
  return [`Broken promises (logs and journal in ${directory}):`, ...found].join('\n- ');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function table(head: readonly string[], rows: readonly Cell[][]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Puts the report between its marks; everything else of the page stays. */
export function withReport(page: string, report: string): string {
  const begin = page.indexOf(REPORT_BEGINS);
  const end = page.indexOf(REPORT_ENDS);
  if (begin < 0 || end < begin) throw new Error(`no ${REPORT_BEGINS} … ${REPORT_ENDS} in the page`);
  return `${page.slice(0, begin)}${REPORT_BEGINS}\n\n${report}\n\n${page.slice(end)}`;
}
