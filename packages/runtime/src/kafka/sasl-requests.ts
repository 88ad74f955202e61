import { beginRequest } from './producer-requests.js';
import type { RequestHead } from './producer-requests.js';
import { WireReader, stringBytes } from './wire.js';

/** Version 1 says that the mechanism's messages travel in SaslAuthenticate; brokers from 1.0 on. */
const SASL_HANDSHAKE = { key: 17, version: 1 };
/** Version 1 answers for how long it lets us in; brokers from 2.2 on. */
const SASL_AUTHENTICATE = { key: 36, version: 1 };

export interface SaslAnswer {
  /** 0, or one of Kafka's error codes. */
  readonly errorCode: number;
  /** The mechanism's message; empty where there is none. */
  readonly message: Buffer;
  /** Milliseconds after which the broker takes nothing on this connection any more; 0: no end. */
  readonly lifetimeMs: number;
}

/** @param mechanism as the protocol calls it, such as SCRAM-SHA-512 */
export function encodeSaslHandshake(head: RequestHead, mechanism: string): Buffer {
  const writer = beginRequest(SASL_HANDSHAKE, head, stringBytes(mechanism));
  writer.string(mechanism);
  return writer.buffer;
}

/**
 * Returns 0 or one of Kafka's error codes.
 * @param body the answer after its correlation id
 */
export function decodeSaslHandshake(body: Buffer): number {
  return new WireReader(body).int16();
}

export function encodeSaslAuthenticate(head: RequestHead, message: Buffer): Buffer {
  const writer = beginRequest(SASL_AUTHENTICATE, head, 4 + message.length);
  writer.bytes(message);
  return writer.buffer;
}

/** @param body the answer after its correlation id */
export function decodeSaslAuthenticate(body: Buffer): SaslAnswer {
  const reader = new WireReader(body);
  const errorCode = reader.int16();
  // What the broker says of it.
  reader.nullableString();
  return { errorCode, message: reader.bytes(), lifetimeMs: Number(reader.int64()) };
}
