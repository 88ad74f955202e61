import { setImmediate } from 'node:timers/promises';
import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import { withDeadline } from '../retry.js';
import { BatchRunner } from './batch-runner.js';
import { CLIENT_RETRY, createClient } from './client.js';
import { deferred } from './deferred.js';
import { GroupDoor } from './former-members.js';
import { FetchPace } from './fetch-pace.js';
import { Ownership, type Assignment } from './ownership.js';
import { Positions, toOffsetCommit, type Partition } from './partitions.js';
import type { ConsumerOptions, IncomingBatch } from './ports.js';
import { SilenceWatch } from './silence-watch.js';

/** Signing off the former member is a courtesy: without it the session's time-out does the same. */
const SIGN_OFF_DEADLINE_MS = 2000;
const HEARTBEAT_INTERVAL_MS = 1000;
const REBALANCE_TIMEOUT_MS = 8000;
/** The broker answers as soon as there is data: a short wait would only burn a core at idle. */
const FETCH_WAIT_MS = 1000;
/** One batch of each assigned partition at once. */
const PARTITIONS_AT_ONCE = 64;
/** Heartbeats while handlers run, offset commits, and the watch for silence. */
const TICK_MS = 1000;
const DRAIN_DEADLINE_MS = 8000;
const COMMIT_DEADLINE_MS = 3000;
const DISCONNECT_DEADLINE_MS = 5000;

/**
 * One consumer of the library from its connection to its loss. It is joining, reading, stopping or
 * over. It is over for good when the library reports a crash, falls silent, or was stopped: the
 * library's own restarts are switched off, so that there is one way to come back, a new session.
 *
 * Offsets are committed here and not by the library, which would do so after each batch of each
 * partition at 80 to 90 ms each (tried); once a second is enough, because messages that are read
 * twice have no effect. They are committed also when a rebalance begins and at the stop.
 */
export class ConsumerSession {
  private readonly options: ConsumerOptions;
  private readonly consumer: Consumer;
  private readonly runner: BatchRunner;
  private readonly positions = new Positions();
  private readonly ownership = new Ownership();
  /** Commits and heartbeats go through the payload: those of the consumer retry behind our back. */
  private lastPayload: EachBatchPayload | undefined;
  private isJoined = false;
  private isStopping = false;
  private readonly watch = new SilenceWatch();
  private readonly pace: FetchPace;
  private ticker: NodeJS.Timeout | undefined;
  private opened: Promise<void> = Promise.resolve();
  private ended: Promise<void> | undefined;
  private readonly offsetsWritten = deferred<undefined>();
  private readonly lost = deferred<unknown>();
  private readonly firstJoin = deferred<undefined>();
  private readonly group = new GroupDoor();

  constructor(options: ConsumerOptions, sessionTimeoutMs: number) {
    this.options = options;
    this.pace = new FetchPace(options.fetchEveryMs ?? 0);
    this.consumer = createClient(options).consumer({
      groupId: options.groupId,
      partitionAssigners: [this.group.assigner],
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      minBytes: 1,
      allowAutoTopicCreation: false,
      retry: { ...CLIENT_RETRY, restartOnFailure: () => Promise.resolve(false) },
    });
    this.runner = new BatchRunner(options, {
      pause: (partition) => {
        this.pause(partition);
      },
      resume: (partition) => {
        this.resume(partition);
      },
      advance: (partition, lastHandledOffset) => {
        this.positions.advance(partition, lastHandledOffset);
      },
    });
  }

  get joined(): boolean {
    return this.isJoined;
  }

  /** What this member owns and how far it has got there. */
  progress(): { assignment: Assignment; positions: Positions } {
    return { assignment: this.ownership.assignment, positions: this.positions };
  }

  /** Resolves when the group was joined for the first time. */
  async whenJoined(): Promise<void> {
    await this.firstJoin.promise;
  }

  /** Runs until it is lost, and resolves with the reason. Never rejects. */
  async run(): Promise<unknown> {
    this.listen();
    this.opened = this.open().catch((error: unknown) => {
      this.lost.resolve(error);
    });
    const reason = await this.lost.promise;
    await this.end();
    return reason;
  }

  /** No new batches, running handlers end (bounded), offsets are committed, the group is left. */
  async stop(): Promise<void> {
    this.isStopping = true;
    const drained = withDeadline(this.runner.drained(), DRAIN_DEADLINE_MS, 'draining handlers');
    await drained.catch((error: unknown) => {
      this.options.log.warn('stopping while batches are being handled', { error });
    });
    await this.commit();
    this.offsetsWritten.resolve(undefined);
    this.lost.resolve(undefined);
    await this.end();
  }

  private async open(): Promise<void> {
    await this.consumer.connect();
    await this.signOffFormer();
    await this.consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
    if (this.isStopping) {
      return;
    }
    this.watch.restart();
    this.ticker = setInterval(() => {
      this.tick();
    }, TICK_MS);
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
      eachBatch: (payload) => this.eachBatch(payload),
    });
  }

  private async signOffFormer(): Promise<void> {
    const { groupId, clientId, log } = this.options;
    try {
      const signingOff = this.group.signOffFormer(groupId, clientId);
      const former = await withDeadline(signingOff, SIGN_OFF_DEADLINE_MS, 'signing off');
      if (former > 0) log.info('a former member of this name was signed off', { groupId, former });
    } catch (error) {
      log.debug('a former member, if there is one, stays until its session is over', { error });
    }
  }

  private listen(): void {
    const { events } = this.consumer;
    this.consumer.on(events.GROUP_JOIN, (event) => {
      this.joinedGroup(event);
    });
    this.consumer.on(events.REBALANCING, () => {
      this.watch.restart();
      void this.commit();
    });
    this.consumer.on(events.FETCH, () => {
      this.watch.fetched();
      this.pace.fetched();
    });
    this.consumer.on(events.HEARTBEAT, () => {
      this.watch.heartbeat();
    });
    this.consumer.on(events.CRASH, ({ payload }) => {
      this.isJoined = false;
      this.lost.resolve(payload.error);
    });
  }

  private joinedGroup({ payload }: ConsumerGroupJoinEvent): void {
    this.watch.restart();
    this.positions.forget();
    this.runner.forget();
    this.ownership.joined(payload.memberAssignment);
    this.isJoined = true;
    this.firstJoin.resolve(undefined);
  }

  private async eachBatch(payload: EachBatchPayload): Promise<void> {
    // A join tells of itself a few promises after it counts: what another connection brings just then
    // must not be taken for the new member's.
    await setImmediate();
    this.lastPayload = payload;
    if (this.isStopping) {
      // Returning at once would fetch the same messages again and again until the stop is over.
      await this.offsetsWritten.promise;
      return;
    }
    if (!this.ownership.accepts(payload.batch)) return;
    const batch = toIncoming(payload);
    await this.runner.run(batch, (characters) => {
      this.pace.brought(characters);
      const last = batch.messages.at(-1);
      // Where the library reads on, and no more than that: what is committed are the positions.
      if (last !== undefined) payload.resolveOffset(last.offset);
    });
    await this.pace.rest();
  }

  private tick(): void {
    const complaint = this.watch.complaint(this.mustFetch());
    if (complaint !== undefined) {
      this.lost.resolve(new Error(complaint));
      return;
    }
    if (this.runner.busyCount > 0) {
      // A rebalance shows here first. The library finds it again itself once the handlers are done.
      this.lastPayload?.heartbeat().catch(() => this.commit());
    }
    void this.commit();
  }

  /**
   * A full partition holds the next fetch back, and nothing comes where all are paused; who is not in
   * the group, or got no partition, has no fetch.
   */
  private mustFetch(): boolean {
    return this.isJoined && this.ownership.hasPartitions && !this.runner.holdsFetches;
  }

  /** One attempt. What cannot be committed now is tried at the next tick, or read again. */
  private async commit(): Promise<void> {
    // A commit behind the disconnect would open a connection that nobody closes.
    const taken = this.ended === undefined ? this.positions.takeUntold() : [];
    if (taken.length === 0 || this.lastPayload === undefined) {
      return;
    }
    try {
      const committing = this.lastPayload.commitOffsetsIfNecessary(toOffsetCommit(taken));
      await withDeadline(committing, COMMIT_DEADLINE_MS, 'committing offsets');
    } catch (error) {
      this.positions.restore(taken);
      this.options.log.debug('offsets were not committed', { error });
    }
  }

  private pause({ topic, partition }: Partition): void {
    try {
      this.consumer.pause([{ topic, partitions: [partition] }]);
    } catch (error) {
      this.options.log.debug('nothing to pause, the consumer is over', { error });
    }
  }

  private resume({ topic, partition }: Partition): void {
    try {
      this.consumer.resume([{ topic, partitions: [partition] }]);
    } catch (error) {
      this.options.log.debug('nothing to resume, the consumer is over', { error });
    }
  }

  private end(): Promise<void> {
    this.ended ??= this.disconnect();
    return this.ended;
  }

  private async disconnect(): Promise<void> {
    this.isStopping = true;
    this.isJoined = false;
    this.offsetsWritten.resolve(undefined);
    clearInterval(this.ticker);
    this.runner.close();
    // A consumer that is disconnected while it still joins would join after that, unreachable, and
    // keep partitions that nobody reads: it is let in first, then it leaves.
    const disconnecting = this.opened.then(() => this.consumer.disconnect());
    await withDeadline(disconnecting, DISCONNECT_DEADLINE_MS, 'disconnecting').catch(
      (error: unknown) => {
        this.options.log.debug('a consumer did not disconnect in time', { error });
      },
    );
  }
}

function toIncoming({ batch }: EachBatchPayload): IncomingBatch {
  const { topic, partition } = batch;
  const messages = batch.messages.map((message) => ({
    topic,
    partition,
    offset: message.offset,
    value: message.value?.toString('utf8') ?? '',
    timestampMs: Number(message.timestamp),
  }));
  return { topic, partition, messages };
}
