/** What the machine and the processes say of themselves before and after a scenario. */
import { readFileSync } from 'node:fs';

/** Of Linux: USER_HZ, what /proc counts processor time in. */
const TICKS_PER_SECOND = 100;
const MILLISECONDS_PER_TICK = 1_000 / TICKS_PER_SECOND;

/** Processor time of a process with all its threads, in milliseconds. */
export function cpuMsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may contain blanks: what is counted begins behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MILLISECONDS_PER_TICK;
}

export function rssMbOf(pid) {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return line ? Math.round(Number(line[1]) / 102.4) / 10 : 0;
}

/** Sums of a page of metrics: by name alone, and by name with its `unit`. */
export async function metricsOf(url) {
  const response = await fetch(`${url}/metrics`);
  const sums = new Map();
  for (const line of (await response.text()).split('\n')) {
    const match = /^(\w+)(\{[^}]*\})? (\S+)$/.exec(line);
    if (!match || line.startsWith('#')) continue;
    const [, name, labels = '', value] = match;
    const unit = /unit="(\w+)"/.exec(labels)?.[1];
    for (const key of unit ? [name, `${name}/${unit}`] : [name]) {
      sums.set(key, (sums.get(key) ?? 0) + Number(value));
    }
  }
  return sums;
}

const PROVEN = /^surety_(?:verified_point_timestamp|sealed_until)_seconds(?:\{[^}]*\})? (\S+)$/gm;

/**
 * Until when everything is checked and sealed, on all shards.
 * @param {string} page of the reconciler's metrics
 * @returns {number} milliseconds since 1970; 0 where one of them is not said yet
 */
export function provenUntilOf(page, shards) {
  const times = [...page.matchAll(PROVEN)].map(([, seconds]) => Number(seconds) * 1_000);
  // One for the checks of all shards, one for the seals of each.
  return times.length < 1 + shards ? 0 : Math.min(...times);
}

/** The same, asked of a reconciler. */
export async function provenUntil(url, shards) {
  return provenUntilOf(await (await fetch(`${url}/metrics`)).text(), shards);
}

/**
 * One reading of everything.
 * @param {{ pids: () => Record<string, number>, urls: Record<string, string>,
 *   kafkaMessages: () => Promise<number> }} system
 */
export async function readMeters(system) {
  const pids = system.pids();
  const pages = await Promise.all(Object.values(system.urls).map(metricsOf));
  const sum = (key) => pages.reduce((total, page) => total + (page.get(key) ?? 0), 0);
  const units = ['ingress', 'relay', 'worker', 'projector'];
  return {
    kafkaMessages: await system.kafkaMessages(),
    sqlStatements: sum('surety_sql_statements_total'),
    sqlCommits: sum('surety_sql_commits_total'),
    batches: Object.fromEntries(
      units.map((unit) => [
        unit,
        {
          items: sum(`surety_batch_items_sum/${unit}`),
          count: sum(`surety_batch_items_count/${unit}`),
        },
      ]),
    ),
    cpuMs: eachOf(pids, cpuMsOf),
    rssMb: eachOf(pids, rssMbOf),
  };
}

const eachOf = (pids, read) =>
  Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, read(pid)]));
