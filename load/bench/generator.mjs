/**
 * The load, in a process of its own whose cost is reported and not counted. It does not poll: ends
 * are heard on the channel on which the projector rings once its rows are written.
 */
import { createHistogram } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { shardOfSlot, slotOfAccount, evenSlotMap } from '@surety/domain';
import { prepareAccounts } from './accounts.mjs';
import { HttpConnection, postBytes } from './http-connection.mjs';
import { Draw, pairsOf } from './pairs.mjs';

const ENDED_CHANNEL = 'surety:ended';
const CONNECTIONS_MAX = 1_024;
const TICK_MS = 2;
/** After the last answer: whatever has not ended by then is reported as missing. */
const DRAIN_DEADLINE_MS = 120_000;
const ID = '"transactionId":"';
const ID_LENGTH = 36;

/** One scenario's run: sends, listens, counts. Latencies in microseconds. */
class Run {
  constructor({ scenario, port, shards, seed, redisUrl, ratePerSecond }) {
    this.scenario = scenario;
    this.port = port;
    this.redisUrl = redisUrl;
    this.ratePerSecond = ratePerSecond;
    this.prefix = `${scenario.name}-${seed}-${Date.now().toString(36)}`;
    this.draw = new Draw(seed);
    const map = evenSlotMap(shards);
    const shardOf = (account) => shardOfSlot(map, slotOfAccount(account));
    this.pair = pairsOf(scenario, this.draw, shardOf);
    this.answers = createHistogram();
    this.ends = createHistogram();
    /** Sent at, by transfer: those that have not ended. */
    this.open = new Map();
    /** Ends that were rung before the answer was read. */
    this.early = new Map();
    this.statuses = new Map();
    this.count = { offered: 0, acknowledged: 0, ended: 0, late: 0 };
    this.idle = [];
    this.made = 0;
    this.waiting = [];
    this.inFlight = 0;
    this.lastEndAt = 0;
    this.stopped = false;
    /** The lone caller of a latency scenario waits for ends, not for answers. */
    this.onEnd = undefined;
  }

  async run(seconds) {
    const redis = new Redis(this.redisUrl);
    redis.on('message', (_channel, payload) => this.#rung(payload));
    await redis.subscribe(ENDED_CHANNEL);
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    const until = startedAt + seconds * 1_000;
    await (this.ratePerSecond ? this.#openLoop(startedAt, until) : this.#closedLoop(until));
    const sentMs = performance.now() - startedAt;
    this.stopped = true;
    await this.#drain();
    const cpu = process.cpuUsage(cpuBefore);
    redis.disconnect();
    for (const connection of this.idle) connection.close();
    return this.#result({ sentMs, startedAt, cpuMs: (cpu.user + cpu.system) / 1_000 });
  }

  async #closedLoop(until) {
    const { callers, untilEnded } = this.scenario;
    const caller = async () => {
      while (performance.now() < until) {
        const ended = untilEnded ? new Promise((resolve) => (this.onEnd = resolve)) : undefined;
        const pauseMs = await new Promise((resolve) => this.#send(performance.now(), resolve));
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        else await ended;
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
  }

  /** Arrivals of a Poisson process; a latency counts from the arrival, so that queueing shows. */
  async #openLoop(startedAt, until) {
    let nextAt = startedAt;
    const gapMs = 1_000 / this.ratePerSecond;
    while (nextAt < until) {
      const now = performance.now();
      while (nextAt <= now && nextAt < until) {
        this.#send(nextAt, () => undefined);
        nextAt += -Math.log(1 - this.draw.unit()) * gapMs;
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  }

  /** @param {(pauseMs: number) => void} done after the answer */
  #send(arrivedAt, done) {
    const connection = this.idle.pop() ?? this.#connection();
    if (!connection) {
      this.waiting.push({ arrivedAt, done });
      return;
    }
    this.inFlight += 1;
    const { batch = 1 } = this.scenario;
    this.count.offered += batch;
    connection.send(this.#request(), (answer) => {
      this.inFlight -= 1;
      this.idle.push(connection);
      this.#take(answer, arrivedAt);
      const waiting = this.waiting.shift();
      if (waiting) this.#send(waiting.arrivedAt, waiting.done);
      done(answer.retryAfterSeconds * 1_000);
    });
  }

  #connection() {
    if (this.made >= CONNECTIONS_MAX) return undefined;
    this.made += 1;
    return new HttpConnection(this.port);
  }

  #request() {
    const { batch } = this.scenario;
    const key = `${this.prefix}-${this.count.offered}`;
    if (batch === undefined) return postBytes('/api/v1/transfers', key, this.#body());
    const transfers = Array.from(
      { length: batch },
      (_, index) => `{"idempotencyKey":"${key}-${index}",${this.#body().slice(1)}`,
    );
    return postBytes('/api/v1/transfers/batch', key, `{"transfers":[${transfers.join(',')}]}`);
  }

  #body() {
    const [source, destination] = this.pair();
    return (
      `{"sourceAccount":"${source}","destinationAccount":"${destination}",` +
      '"amount":"0.01","currency":"EUR"}'
    );
  }

  #take({ status, body }, arrivedAt) {
    const now = performance.now();
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status === 503 || status === 0) return;
    this.answers.record(microseconds(now - arrivedAt));
    for (let at = body.indexOf(ID); at >= 0; at = body.indexOf(ID, at + ID_LENGTH)) {
      this.count.acknowledged += 1;
      const from = at + ID.length;
      this.#acknowledged(body.slice(from, from + ID_LENGTH), arrivedAt);
    }
  }

  #acknowledged(id, arrivedAt) {
    const endedAt = this.early.get(id);
    if (endedAt === undefined) {
      this.open.set(id, arrivedAt);
      return;
    }
    this.early.delete(id);
    this.#ended(arrivedAt, endedAt);
  }

  #rung(payload) {
    const now = performance.now();
    for (let at = 0; at < payload.length; at += ID_LENGTH + 1) {
      const id = payload.slice(at, at + ID_LENGTH);
      const arrivedAt = this.open.get(id);
      if (arrivedAt === undefined) this.early.set(id, now);
      else {
        this.open.delete(id);
        this.#ended(arrivedAt, now);
      }
    }
  }

  #ended(arrivedAt, endedAt) {
    this.ends.record(microseconds(endedAt - arrivedAt));
    this.count.ended += 1;
    this.lastEndAt = endedAt;
    const onEnd = this.onEnd;
    this.onEnd = undefined;
    onEnd?.();
  }

  async #drain() {
    const until = performance.now() + DRAIN_DEADLINE_MS;
    while (performance.now() < until) {
      if (this.inFlight === 0 && this.waiting.length === 0 && this.open.size === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #result({ sentMs, startedAt, cpuMs }) {
    const { offered, acknowledged, ended } = this.count;
    const wholeMs = Math.max(this.lastEndAt - startedAt, 1);
    return {
      offered,
      acknowledged,
      ended,
      missing: this.open.size,
      statuses: Object.fromEntries(this.statuses),
      sentSeconds: sentMs / 1_000,
      wholeSeconds: wholeMs / 1_000,
      answers: snapshot(this.answers),
      ends: snapshot(this.ends),
      generatorCpuMs: cpuMs,
    };
  }
}

const microseconds = (ms) => Math.max(1, Math.round(ms * 1_000));

function snapshot(histogram) {
  const at = (percentile) => histogram.percentile(percentile) / 1_000;
  return {
    summaryMs: { p50: at(50), p90: at(90), p99: at(99), max: histogram.max / 1_000 },
    count: histogram.count,
    percentilesUs: Object.fromEntries(histogram.percentiles),
  };
}

const ACTIONS = {
  prepare: (options) => prepareAccounts(options),
  run: ({ seconds, ...options }) => new Run(options).run(seconds),
};

process.on('message', ({ id, action, options }) => {
  ACTIONS[action](options).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
