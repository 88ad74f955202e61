/** Writes Kafka's primitive types one after the other into a buffer of the right size. */
export class WireWriter {
  readonly buffer: Buffer;
  private at = 0;

  /** @param bytes exactly as many as will be written */
  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafe(bytes);
  }

  get position(): number {
    return this.at;
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  int8(value: number): void {
    this.at = this.buffer.writeInt8(value, this.at);
  }

  int16(value: number): void {
    this.at = this.buffer.writeInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  int64(value: bigint): void {
    this.at = this.buffer.writeBigInt64BE(value, this.at);
  }

  /** Zigzag, seven bits a byte. */
  varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; rest > 127; rest >>>= 7) this.at = this.buffer.writeUInt8((rest & 127) | 128, this.at);
    this.at = this.buffer.writeUInt8(rest, this.at);
  }

  /** Without its length. */
  text(value: string): void {
    this.at += this.buffer.write(value, this.at);
  }

  /** With their number in four bytes. */
  bytes(value: Buffer): void {
    this.int32(value.length);
    this.at += value.copy(this.buffer, this.at);
  }

  /** With its length in two bytes. */
  string(value: string): void {
    this.int16(Buffer.byteLength(value));
    this.text(value);
  }
}

/** Of a number that is not negative. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = (value << 1) >>> 7; rest > 0; rest >>>= 7) bytes += 1;
  return bytes;
}

export function stringBytes(value: string): number {
  return 2 + Buffer.byteLength(value);
}

/** Reads what a broker answered. Throws RangeError where the answer is shorter than it says. */
export class WireReader {
  private readonly buffer: Buffer;
  private at: number;

  constructor(buffer: Buffer, from = 0) {
    this.buffer = buffer;
    this.at = from;
  }

  /** Never backwards: a length below zero would read the same bytes for ever. */
  skip(bytes: number): void {
    if (bytes < 0 || this.at + bytes > this.buffer.length) {
      throw new RangeError(`${bytes} bytes after ${this.at} are out of range`);
    }
    this.at += bytes;
  }

  int16(): number {
    this.at += 2;
    return this.buffer.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.buffer.readInt32BE(this.at - 4);
  }

  int64(): bigint {
    this.at += 8;
    return this.buffer.readBigInt64BE(this.at - 8);
  }

  string(): string {
    const bytes = this.int16();
    const from = this.at;
    this.skip(bytes);
    return this.buffer.toString('utf8', from, this.at);
  }

  /** None where the broker sent null. */
  bytes(): Buffer {
    const bytes = Math.max(this.int32(), 0);
    const from = this.at;
    this.skip(bytes);
    return this.buffer.subarray(from, this.at);
  }

  nullableString(): string | null {
    if (this.buffer.readInt16BE(this.at) !== -1) return this.string();
    this.skip(2);
    return null;
  }
}
