import { causesOf } from '../failure-kind.js';
import { backoffMs, sleep, withDeadline } from '../retry.js';
import { ConsumerSession } from './consumer-session.js';
import { LagReader } from './lag-reader.js';
import type { ConsumerOptions, MessageConsumer } from './ports.js';

/**
 * A broker refuses what is below its `group.min.session.timeout.ms`: 6 s where nobody has set it, which
 * leaves too little of the ten seconds in which everything goes on. Four are four lost heartbeats.
 */
const SESSION_TIMEOUTS_MS = [4000, 6000, 10_000, 30_000] as const;
const RESTART_MIN_MS = 200;
const RESTART_MAX_MS = 5000;
/** A broker that is away must not keep the process from starting and saying so. */
const FIRST_JOIN_DEADLINE_MS = 15_000;

/**
 * Reads `topics` as a member of `groupId` and hands over batches as they come, several of a partition
 * at once where the first still runs. Resolves when the group is joined; also when the first attempt failed
 * or took 15 s, then with `running` false: it goes on trying until it is stopped.
 */
export async function startConsumer(options: ConsumerOptions): Promise<MessageConsumer> {
  const consumer = new RestartingConsumer(options);
  consumer.start();
  await withDeadline(consumer.firstOutcome, FIRST_JOIN_DEADLINE_MS, 'joining the group').catch(
    () => undefined,
  );
  return consumer;
}

/**
 * One session after the other until the stop. A session that ends by itself, for whatever reason, is
 * followed by a new one after a backoff that grows while no session gets as far as joining.
 */
class RestartingConsumer implements MessageConsumer {
  /** Resolves when the first session has joined or was lost. */
  readonly firstOutcome: Promise<void>;
  private readonly options: ConsumerOptions;
  private readonly lagReader: LagReader;
  private readonly stopping = new AbortController();
  private readonly settleFirstOutcome: () => void;
  private session: ConsumerSession;
  private sessions: Promise<void> = Promise.resolve();
  private isLost = false;
  /** The session time-out that the broker takes, as far as is known, and what may follow it. */
  private sessionTimeoutsMs: readonly [number, ...number[]];

  constructor(options: ConsumerOptions) {
    this.options = options;
    this.sessionTimeoutsMs = options.sessionTimeoutsMs ?? SESSION_TIMEOUTS_MS;
    this.lagReader = new LagReader(options);
    this.session = this.newSession();
    let settle: () => void = () => undefined;
    this.firstOutcome = new Promise((resolve) => {
      settle = resolve;
    });
    this.settleFirstOutcome = settle;
  }

  get running(): boolean {
    return this.session.joined;
  }

  start(): void {
    this.sessions = this.runSessions();
  }

  lag(): Promise<ReadonlyMap<string, number>> {
    return this.lagReader.read(this.session.progress());
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.session.stop();
    await this.sessions;
    await this.lagReader.close();
  }

  private async runSessions(): Promise<void> {
    const { signal } = this.stopping;
    let failures = 0;
    while (!signal.aborted) {
      void this.session.whenJoined().then(() => {
        this.reportJoin();
        failures = 0;
      });
      const reason = await this.session.run();
      if (signal.aborted) {
        return;
      }
      if (this.asksTooShort(reason)) {
        this.session = this.newSession();
        continue;
      }
      this.reportLoss(reason);
      await sleep(backoffMs(failures, { minMs: RESTART_MIN_MS, maxMs: RESTART_MAX_MS }), signal);
      failures += 1;
      this.session = this.newSession();
    }
  }

  private newSession(): ConsumerSession {
    return new ConsumerSession(this.options, this.sessionTimeoutsMs[0]);
  }

  /** The broker allows only longer silence: the next session asks for that, at once. */
  private asksTooShort(reason: unknown): boolean {
    const [refusedMs, nextMs, ...others] = this.sessionTimeoutsMs;
    if (!isInvalidTimeout(reason) || nextMs === undefined) return false;
    this.options.log.warn('the broker asks for a longer session time-out: failures show later', {
      groupId: this.options.groupId,
      refusedMs,
      nextMs,
      setting: 'group.min.session.timeout.ms',
    });
    this.sessionTimeoutsMs = [nextMs, ...others];
    return true;
  }

  private reportJoin(): void {
    this.settleFirstOutcome();
    if (this.isLost) {
      this.isLost = false;
      this.options.log.info('consuming from kafka again', { groupId: this.options.groupId });
    }
  }

  /** One line per outage: attempts that fail during it are for debugging. */
  private reportLoss(error: unknown): void {
    this.settleFirstOutcome();
    const level = this.isLost ? 'debug' : 'warn';
    this.isLost = true;
    const { groupId } = this.options;
    this.options.log.log(level, 'the kafka consumer was lost and starts again', { groupId, error });
  }
}

/** The library wraps what the broker said, more than once. */
function isInvalidTimeout(reason: unknown): boolean {
  return causesOf(reason).some(
    (error) => 'type' in error && error.type === 'INVALID_SESSION_TIMEOUT',
  );
}
