import type { Socket } from 'node:net';
import { delayMsOf, swallows } from './modes.js';
import type { Direction, ProxyCounters, ProxyMode } from './modes.js';

/** What becomes of a piece that a client sent: some of it goes on, some is answered right here. */
export interface Judged {
  readonly forward: readonly Buffer[];
  readonly answers: readonly Buffer[];
}

/** Looks at what a client sends, before it is passed on. */
export type Judge = (piece: Buffer) => Judged;

export interface ConnectionOptions {
  readonly client: Socket;
  readonly server: Socket;
  readonly mode: () => ProxyMode;
  readonly counters: ProxyCounters;
  readonly random: () => number;
  readonly judge?: Judge | undefined;
  /** Called once, when both sockets are gone. */
  readonly closed: () => void;
}

/** One direction of a connection. */
interface Lane {
  readonly direction: Direction;
  readonly from: Socket;
  readonly to: Socket;
  /** Set while a piece waits for its time; nothing more is read until then. */
  timer: NodeJS.Timeout | undefined;
  /** Lost bytes once: a stream with a hole cannot go on. */
  isDeaf: boolean;
}

/**
 * Two sockets and what goes between them. Bounded: each direction has one piece under way, and is
 * not read from while that piece waits for its delay or for room on the other side.
 */
export class ProxiedConnection {
  readonly #options: ConnectionOptions;
  readonly #lanes: readonly Lane[];
  /** One side ended while the mode hid it from the other. */
  #hasHiddenEnd = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { client, server } = options;
    const start = { timer: undefined, isDeaf: false };
    this.#lanes = [
      { direction: 'toServer', from: client, to: server, ...start },
      { direction: 'toClient', from: server, to: client, ...start },
    ];
    for (const lane of this.#lanes) this.#open(lane);
  }

  /** Resets both sides at once. */
  destroy(): void {
    for (const lane of this.#lanes) clearTimeout(lane.timer);
    reset(this.#options.client);
    reset(this.#options.server);
  }

  /** To be called when the mode has changed: an end that was hidden becomes known. */
  modeChanged(): void {
    if (this.#hasHiddenEnd && !this.#hidesEnds()) this.destroy();
  }

  #open(lane: Lane): void {
    const { from, to } = lane;
    from.setNoDelay(true);
    from.on('data', (piece: Buffer) => this.#take(lane, piece));
    from.on('end', () => this.#ended(() => to.end()));
    from.on('error', () => this.#ended(() => reset(to)));
    from.on('close', () => {
      this.#ended(() => to.end());
      if (from.closed && to.closed) this.#options.closed();
    });
    to.on('drain', () => {
      if (lane.timer === undefined) from.resume();
    });
  }

  #take(lane: Lane, piece: Buffer): void {
    const { mode, random } = this.#options;
    const delayMs = delayMsOf(mode(), piece.length, random);
    if (delayMs <= 0) {
      this.#deliver(lane, piece);
      return;
    }
    lane.from.pause();
    lane.timer = setTimeout(() => {
      lane.timer = undefined;
      this.#deliver(lane, piece);
      if (!lane.to.writableNeedDrain) lane.from.resume();
    }, delayMs);
  }

  #deliver(lane: Lane, piece: Buffer): void {
    const { mode, counters, client, judge } = this.#options;
    if (lane.isDeaf || swallows(mode(), lane.direction)) {
      Object.assign(lane, { isDeaf: true });
      counters.bytesSwallowed += piece.length;
      return;
    }
    if (lane.direction === 'toClient') {
      counters.bytesToClient += send(lane, [piece]);
      return;
    }
    const { forward, answers } = judge ? judge(piece) : { forward: [piece], answers: [] };
    counters.bytesToServer += send(lane, forward);
    // A few bytes for one statement, and a client asks again only when it has read them.
    for (const answer of answers) if (client.writable) client.write(answer);
  }

  #ended(tell: () => void): void {
    if (this.#hidesEnds()) this.#hasHiddenEnd = true;
    else tell();
  }

  #hidesEnds(): boolean {
    return this.#options.mode().kind === 'halfOpen';
  }
}

function send({ from, to }: Lane, parts: readonly Buffer[]): number {
  let bytes = 0;
  for (const part of parts) {
    if (!to.writable) return bytes;
    if (!to.write(part)) from.pause();
    bytes += part.length;
  }
  return bytes;
}

function reset(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy();
}
