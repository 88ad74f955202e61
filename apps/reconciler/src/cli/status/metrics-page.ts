const LAG = 'surety_consumer_lag_messages';

/** The values of every series of a metric on a page in Prometheus' text format. */
export function seriesOf(page: string, name: string): number[] {
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
    .filter((value) => Number.isFinite(value));
}

/** Messages of its partitions that a process has yet to handle; null where it reads none. */
export function laggingMessages(page: string): number | null {
  const lags = seriesOf(page, LAG);
  return lags.length === 0 ? null : lags.reduce((sum, lag) => sum + lag, 0);
}
