/** Resident memory while a scenario runs: a reading before and one after see neither peak nor trend. */
import { rssMbOf } from './meters.mjs';

const EVERY_MS = 5_000;
const MS_PER_MINUTE = 60_000;
/** Fewer readings are a garbage collection more or less, and no trend. */
const TREND_READINGS_MIN = 24;

const round = (value, digits) => Number(value.toFixed(digits));

export class MemorySamples {
  #pids;
  #timer;
  /** @type {{ atMs: number, rssMb: Record<string, number> }[]} */
  #readings = [];

  /** @param {Record<string, number>} pids by name */
  constructor(pids) {
    this.#pids = pids;
    this.#read();
    this.#timer = setInterval(() => this.#read(), EVERY_MS);
  }

  /** A process that has ended has no memory: whoever reads its meters says so, in a place that can. */
  #read() {
    try {
      const rssMb = Object.fromEntries(
        Object.entries(this.#pids).map(([name, pid]) => [name, rssMbOf(pid)]),
      );
      this.#readings.push({ atMs: Date.now(), rssMb });
    } catch {
      this.stop();
    }
  }

  /** No more readings. */
  stop() {
    clearInterval(this.#timer);
  }

  /** What `memoryOf` makes of the readings. */
  result() {
    return memoryOf(this.#readings);
  }
}

/**
 * @param {{ atMs: number, rssMb: Record<string, number> }[]} readings in the order of time
 * @returns {{ rssPeakMbByProcess: Record<string, number>,
 *   rssTrendMbPerMinute?: Record<string, number> }} the trend is the slope of least squares; left out
 *   where there are too few readings
 */
export function memoryOf(readings) {
  const names = Object.keys(readings[0]?.rssMb ?? {});
  const eachOf = (figure) => Object.fromEntries(names.map((name) => [name, figure(name)]));
  const rssPeakMbByProcess = eachOf((name) =>
    Math.max(...readings.map(({ rssMb }) => rssMb[name])),
  );
  if (readings.length < TREND_READINGS_MIN) return { rssPeakMbByProcess };
  return { rssPeakMbByProcess, rssTrendMbPerMinute: eachOf((name) => trendOf(readings, name)) };
}

function trendOf(readings, name) {
  const minutes = readings.map(({ atMs }) => atMs / MS_PER_MINUTE);
  const values = readings.map(({ rssMb }) => rssMb[name]);
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [middle, level] = [mean(minutes), mean(values)];
  const spread = minutes.reduce((sum, minute) => sum + (minute - middle) ** 2, 0);
  const common = minutes.reduce(
    (sum, minute, at) => sum + (minute - middle) * (values[at] - level),
    0,
  );
  return round(common / spread, 2);
}
