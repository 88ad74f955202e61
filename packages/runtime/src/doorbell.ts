import type { Redis } from 'ioredis';
import type { Logger } from './log.js';
import { closeRedis, openRedis } from './redis.js';

/** Channels by what has happened. */
export const CHANNELS = {
  /** The outbox of this shard has new rows. */
  outbox: (shard: number) => `surety:outbox:${shard}`,
  /** Transfers have ended; the payload names them. */
  ended: 'surety:ended',
} as const;

/**
 * Wakes those who would otherwise poll. Nothing is promised: a ring can be lost, and whoever listens
 * polls as well.
 */
export interface Doorbell {
  /** Never throws and never waits. Rings without a payload are coalesced per channel. */
  ring(channel: string, payload?: string): void;
  /** Resolves with a function that ends the subscription; survives reconnects. */
  subscribe(channel: string, listener: (payload: string) => void): Promise<() => void>;
  close(): Promise<void>;
}

/** A doorbell that knows whether it is deaf: for those who poll the faster the less they hear. */
export interface ListeningDoorbell extends Doorbell {
  /** Whether rings are heard: connected, and subscribed to every channel that is listened to. */
  readonly isListening: boolean;
  /**
   * Called each time that the connection is lost: whatever rings from then on is not heard. Returns
   * a function that removes it.
   */
  onDeaf(called: () => void): () => void;
}

/**
 * Least time from a ring's answer to the next one of its channel. Whoever was woken is at work for
 * about as long; what rings meanwhile rings once more at its end. A ring costs its two ends and Redis 0.1
 * to 0.2 ms of processor time together (tried), whether or not anybody sleeps.
 */
const RING_REST_MS = 5;
/**
 * A connection that only listens asks this often whether somebody is there, and what is not answered in
 * the time that redis.ts allows to silence ends it. TCP would take most of a minute to notice a machine
 * that is gone, and would never notice a server that hangs.
 */
const LISTENING_CHECK_MS = 5_000;
/** Rings with a payload that may be on their way; beyond it they are dropped, not queued. */
const PAYLOADS_IN_FLIGHT_MAX = 1000;

export function createDoorbell(options: {
  readonly url: string;
  readonly log: Logger;
}): ListeningDoorbell {
  const publisher = openRedis({ ...options, name: 'surety-doorbell-ring' });
  const subscriber = openRedis({ ...options, name: 'surety-doorbell-listen' });
  const ringer = new Ringer(publisher);
  const listeners = new Listeners(subscriber, options.log);
  return {
    ring: (channel, payload) => {
      ringer.ring(channel, payload);
    },
    subscribe: (channel, listener) => listeners.add(channel, listener),
    get isListening() {
      return listeners.areHeard;
    },
    onDeaf: (called) => listeners.onDeaf(called),
    close: async () => {
      listeners.close();
      await Promise.all([closeRedis(publisher), closeRedis(subscriber)]);
    },
  };
}

/**
 * A channel is silent, ringing or resting. The first ring goes out at once and makes it ringing; the
 * answer makes it rest for RING_REST_MS. Rings that come meanwhile set `again`, and one follows for
 * all of them at the end of the rest, so that the last ring is never swallowed by one that was sent
 * before it. Without any the channel is silent again.
 */
class Ringer {
  private readonly client: Redis;
  private readonly ringing = new Map<string, { again: boolean }>();
  private payloadsInFlight = 0;

  constructor(client: Redis) {
    this.client = client;
  }

  ring(channel: string, payload: string | undefined): void {
    if (this.client.status !== 'ready') {
      return;
    }
    if (payload === undefined) {
      this.ringBare(channel);
    } else if (this.payloadsInFlight < PAYLOADS_IN_FLIGHT_MAX) {
      this.payloadsInFlight += 1;
      this.publish(channel, payload, () => {
        this.payloadsInFlight -= 1;
      });
    }
  }

  private ringBare(channel: string): void {
    const state = this.ringing.get(channel);
    if (state !== undefined) {
      state.again = true;
      return;
    }
    const started = { again: false };
    this.ringing.set(channel, started);
    this.publish(channel, '', () => {
      setTimeout(() => {
        this.ringing.delete(channel);
        if (started.again) {
          this.ring(channel, undefined);
        }
      }, RING_REST_MS).unref();
    });
  }

  // A ring that fails is a ring that was lost: the poll of the listener makes up for it.
  private publish(channel: string, payload: string, settled: () => void): void {
    this.client.publish(channel, payload).then(settled, settled);
  }
}

class Listeners {
  private readonly client: Redis;
  private readonly log: Logger;
  private readonly byChannel = new Map<string, Set<(payload: string) => void>>();
  /** Channels that this connection is subscribed to. */
  private readonly heard = new Set<string>();
  private readonly deafened = new Set<() => void>();
  private readonly checking: NodeJS.Timeout;

  constructor(client: Redis, log: Logger) {
    this.client = client;
    this.log = log;
    this.checking = setInterval(() => {
      this.check();
    }, LISTENING_CHECK_MS).unref();
    client.on('ready', () => {
      void this.subscribeTo([...this.byChannel.keys()]);
    });
    client.on('close', () => {
      this.lost();
    });
    client.on('message', (channel: string, payload: string) => {
      this.deliver(channel, payload);
    });
  }

  get areHeard(): boolean {
    for (const channel of this.byChannel.keys()) if (!this.heard.has(channel)) return false;
    return this.client.status === 'ready';
  }

  onDeaf(called: () => void): () => void {
    this.deafened.add(called);
    return () => {
      this.deafened.delete(called);
    };
  }

  close(): void {
    clearInterval(this.checking);
  }

  /** The answer means nothing. That none comes is noticed by the connection itself. */
  private check(): void {
    if (this.heard.size > 0) this.client.ping().catch(() => undefined);
  }

  async add(channel: string, listener: (payload: string) => void): Promise<() => void> {
    const known = this.byChannel.get(channel);
    const listeners = known ?? new Set();
    listeners.add(listener);
    if (known === undefined) {
      this.byChannel.set(channel, listeners);
      await this.subscribeTo([channel]);
    }
    return () => {
      this.remove(channel, listener);
    };
  }

  private remove(channel: string, listener: (payload: string) => void): void {
    const listeners = this.byChannel.get(channel);
    listeners?.delete(listener);
    if (listeners?.size === 0) {
      this.byChannel.delete(channel);
      this.heard.delete(channel);
      this.client.unsubscribe(channel).catch(() => undefined);
    }
  }

  /** Attempts to connect again that fail end here, too: they had nothing to lose. */
  private lost(): void {
    if (this.heard.size === 0) return;
    this.heard.clear();
    for (const called of this.deafened) called();
  }

  /** While Redis is away this does nothing: `ready` subscribes to every channel. */
  private async subscribeTo(channels: readonly string[]): Promise<void> {
    if (this.client.status !== 'ready' || channels.length === 0) {
      return;
    }
    try {
      await this.client.subscribe(...channels);
      for (const channel of channels) this.heard.add(channel);
    } catch (error) {
      this.log.debug('could not subscribe; the next connection tries again', { error });
      // Without its subscriptions this connection is deaf: a new one subscribes again.
      this.client.disconnect(true);
    }
  }

  private deliver(channel: string, payload: string): void {
    for (const listener of this.byChannel.get(channel) ?? []) {
      try {
        listener(payload);
      } catch (error) {
        this.log.error('a listener of the doorbell failed', { channel, error });
      }
    }
  }
}
