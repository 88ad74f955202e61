/** From two readings and what the generator counted to one scenario's result, and its rows. */

const round = (value, digits = 3) => Number(value.toFixed(digits));
const perTransfer = (value, transfers) => round(transfers > 0 ? value / transfers : 0);

export function resultOf({ scenario, load, before, after, memory, checkIsClean }) {
  const { ended } = load;
  const cpu = differences(after.cpuMs, before.cpuMs);
  const cpuMsByProcess = mapValues(cpu, (ms) => perTransfer(ms, ended));
  const total = Object.values(cpu).reduce((sum, ms) => sum + ms, 0);
  return {
    name: scenario.name,
    seconds: round(load.sentSeconds, 1),
    offered: load.offered,
    acknowledged: load.acknowledged,
    ended,
    missing: load.missing,
    answers: load.statuses,
    offeredPerSecond: round(load.offered / load.sentSeconds, 1),
    acknowledgedPerSecond: round(load.acknowledged / load.sentSeconds, 1),
    committedPerSecond: round(ended / load.wholeSeconds, 1),
    cpuMsPerTransfer: perTransfer(total, ended),
    cpuMsByProcess,
    generatorCpuMsPerTransfer: perTransfer(load.generatorCpuMs, load.offered),
    answerMs: mapValues(load.answers.summaryMs, (ms) => round(ms, 2)),
    committedMs: mapValues(load.ends.summaryMs, (ms) => round(ms, 2)),
    rssMbByProcess: after.rssMb,
    rssGrowthMbByProcess: differences(after.rssMb, before.rssMb),
    ...memory,
    sqlStatementsPerTransfer: perTransfer(after.sqlStatements - before.sqlStatements, ended),
    sqlCommitsPerTransfer: perTransfer(after.sqlCommits - before.sqlCommits, ended),
    kafkaMessagesPerTransfer: perTransfer(after.kafkaMessages - before.kafkaMessages, ended),
    meanBatch: mapValues(after.batches, ({ items, count }, unit) => {
      const batches = count - before.batches[unit].count;
      return round(batches > 0 ? (items - before.batches[unit].items) / batches : 0, 1);
    }),
    checkIsClean,
    histogramsUs: { answer: load.answers.percentilesUs, committed: load.ends.percentilesUs },
  };
}

const TUNING = /^SURETY_[A-Z_]*(INTERVAL|TIMEOUT|SIZE|MAX|LEVEL|CHAINING|STEPS)$/;

/**
 * What the environment changes of the processes' settings: figures of a system whose checks were put off
 * must not look like those of one that runs them. By name, since other variables hold passwords.
 * @param {Record<string, string | undefined>} environment
 */
export function tuningOf(environment) {
  const names = Object.keys(environment).filter((name) => TUNING.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, environment[name]]));
}

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]));

function differences(after, before) {
  return mapValues(after, (value, key) => round(value - (before[key] ?? value), 1));
}

const COLUMNS = [
  ['scenario', (row) => row.name],
  ['offered/s', (row) => row.offeredPerSecond.toFixed(0)],
  ['acked/s', (row) => row.acknowledgedPerSecond.toFixed(0)],
  ['committed/s', (row) => row.committedPerSecond.toFixed(0)],
  ['cpu ms', (row) => row.cpuMsPerTransfer.toFixed(3)],
  ['answer p50/p99', (row) => latencies(row.answerMs)],
  ['committed p50/p99', (row) => latencies(row.committedMs)],
  ['sql', (row) => row.sqlStatementsPerTransfer.toFixed(2)],
  ['commits', (row) => row.sqlCommitsPerTransfer.toFixed(2)],
  ['kafka', (row) => row.kafkaMessagesPerTransfer.toFixed(2)],
  ['largest MB', (row) => largestOf(row.rssPeakMbByProcess ?? row.rssMbByProcess)],
  ['idle cores', (row) => row.idleCores?.toFixed(3) ?? ''],
  ['load cpu', (row) => row.generatorCpuMsPerTransfer.toFixed(3)],
  ['loop ms', ({ referenceLoopMs: ms }) => (ms ? `${ms.before} / ${ms.after}` : '')],
  ['check', (row) => (row.checkIsClean ? 'clean' : 'BROKEN')],
];

const latencies = ({ p50, p99 }) => `${p50.toFixed(1)} / ${p99.toFixed(1)}`;

const SERVERS = ['mariadb', 'mysql', 'kafka', 'redis'];

/** Of our own processes: what a server keeps in memory is what its settings give it. */
function largestOf(rssMbByProcess) {
  const own = Object.entries(rssMbByProcess).filter(([name]) => !SERVERS.includes(name));
  const [largest] = own.sort(([, one], [, other]) => other - one);
  return largest ? `${largest[0]} ${largest[1].toFixed(0)}` : '';
}

/** @returns {string[]} lines */
export function tableOf(rows) {
  const cells = [COLUMNS.map(([title]) => title), ...rows.map(rowOf)];
  const widths = COLUMNS.map((_, at) => Math.max(...cells.map((row) => row[at].length)));
  return cells.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]))
      .join('  ')
      .trimEnd(),
  );
}

const rowOf = (row) => COLUMNS.map(([, cell]) => cell(row));

/** How memory went, one line for each scenario that was long enough to tell. */
export function memoryLinesOf(rows) {
  return rows.flatMap(({ name, rssTrendMbPerMinute: trends }) => {
    if (!trends) return [];
    const parts = Object.entries(trends).map(([process, mb]) => `${process} ${mb}`);
    return [`  ${name}: ${parts.join(', ')}`];
  });
}

/** CPU by process, one line a scenario. */
export function cpuLineOf({ name, cpuMsByProcess }) {
  const parts = Object.entries(cpuMsByProcess).map(([process, ms]) => `${process} ${ms}`);
  return `  ${name}: ${parts.join(', ')}`;
}
