const LAG = 'surety_consumer_lag_messages';
const STEP = /^surety_worker_step_on\{(?:.*,)?step="(\w+)".*\} ([01])$/;

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

/** By step, whether a worker process runs it; null where the process is none that tells. */
export function stepsOf(page: string): Readonly<Record<string, boolean>> | null {
  const told = page.split('\n').flatMap((line) => {
    const [, step, isOn] = STEP.exec(line) ?? [];
    return step === undefined ? [] : [[step, isOn === '1'] as const];
  });
  return told.length === 0 ? null : Object.fromEntries(told);
}
