const HEADER_BYTES = 4;
/** A packet of this length is followed by its continuation. */
const LENGTH_MAX = 0xffffff;
/** Longer statements than any of ours go on unseen, so that little is ever kept. */
const SEEN_BYTES_MAX = 4 * 1024 * 1024;

export interface ClientPacket {
  readonly bytes: Buffer;
  /** The first packet of a command, complete: what follows the header, from the command byte on. */
  readonly command: Buffer | undefined;
}

/**
 * Cuts a MySQL client's bytes into packets. A client's packet with the sequence number 0 begins a
 * command; logging in and what follows a full packet count on from 1.
 */
export class PacketFramer {
  #kept: Buffer = Buffer.alloc(0);
  /** Bytes of a packet too long to be kept that are still to come. */
  #passing = 0;

  push(piece: Buffer): ClientPacket[] {
    const packets: ClientPacket[] = [];
    let rest = this.#kept.length === 0 ? piece : Buffer.concat([this.#kept, piece]);
    for (;;) {
      const { packet, length } = this.#next(rest);
      if (!packet) break;
      packets.push(packet);
      rest = rest.subarray(length);
    }
    this.#kept = rest;
    return packets;
  }

  #next(rest: Buffer): { packet?: ClientPacket; length: number } {
    if (this.#passing > 0) {
      const length = Math.min(this.#passing, rest.length);
      this.#passing -= length;
      return length === 0 ? { length } : { packet: opaque(rest.subarray(0, length)), length };
    }
    if (rest.length < HEADER_BYTES) return { length: 0 };
    const payload = rest.readUIntLE(0, 3);
    const length = HEADER_BYTES + payload;
    if (length > SEEN_BYTES_MAX) {
      this.#passing = length - rest.length;
      if (this.#passing < 0) this.#passing = 0;
      const there = Math.min(length, rest.length);
      return { packet: opaque(rest.subarray(0, there)), length: there };
    }
    if (rest.length < length) return { length: 0 };
    const bytes = rest.subarray(0, length);
    const isCommand = bytes[3] === 0 && payload > 0 && payload < LENGTH_MAX;
    return {
      packet: { bytes, command: isCommand ? bytes.subarray(HEADER_BYTES) : undefined },
      length,
    };
  }
}

function opaque(bytes: Buffer): ClientPacket {
  return { bytes, command: undefined };
}

/** The server's word for a failed command (ERR_Packet), as the first packet of its answer. */
export function errorPacket(error: { errno: number; sqlState: string; message: string }): Buffer {
  const payload = Buffer.concat([
    Buffer.from([0xff, error.errno & 0xff, error.errno >> 8]),
    Buffer.from(`#${error.sqlState}${error.message}`, 'utf8'),
  ]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = 1;
  return Buffer.concat([header, payload]);
}
