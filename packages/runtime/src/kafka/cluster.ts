import { isIP, isIPv4 } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import type { Secret } from '../secret.js';

export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

/** Who a client is towards the brokers. */
export interface KafkaSasl {
  readonly mechanism: SaslMechanism;
  readonly username: string;
  readonly password: Secret;
}

/** Where Kafka is and how it is spoken to: the same for everything in a process that does. */
export interface KafkaCluster {
  /** Some of the brokers, each as `host:port`. */
  readonly brokers: readonly string[];
  /** Whom a broker's certificate must come from, and our own where there is one. Absent: plain TCP. */
  readonly tls?: SecureContext | undefined;
  /** Absent: the brokers let in whoever connects, or go by the certificate. */
  readonly sasl?: KafkaSasl | undefined;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** @param broker `host:port` */
export function addressOf(broker: string): BrokerAddress {
  const colon = broker.lastIndexOf(':');
  return { host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) };
}

/**
 * What is sent to it never leaves this machine. Names are not looked up: of all names only
 * `localhost` is one of loopback (RFC 6761, 6.3).
 */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || ['::1', '[::1]'].includes(host) || isLoopbackIPv4(host);
}

function isLoopbackIPv4(host: string): boolean {
  return isIPv4(host) && host.startsWith('127.');
}

/**
 * Options of `tls.connect` for any broker. That its certificate is verified is said here and not left
 * to the default, which NODE_TLS_REJECT_UNAUTHORIZED would change.
 */
export function verifiedBy(secureContext: SecureContext): ConnectionOptions {
  return { secureContext, rejectUnauthorized: true };
}

/** The name that a broker is asked for and its certificate must bear; addresses are not sent (RFC 6066, 3). */
export function serverNameOf(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}
