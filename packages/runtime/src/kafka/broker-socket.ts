import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { serverNameOf, verifiedBy } from './cluster.js';
import type { BrokerAddress, KafkaCluster } from './cluster.js';

const KEEP_ALIVE_MS = 60_000;

/**
 * Begins to connect. `ready` is told once, when something may be sent: over TLS not before the
 * certificate was verified, so that nothing goes to a peer that is not who it must be.
 */
export function openSocket(
  address: BrokerAddress,
  tls: KafkaCluster['tls'],
  ready: () => void,
): Socket {
  const { host, port } = address;
  const socket =
    tls === undefined
      ? connect({ host, port, noDelay: true }, ready)
      : connectTls({ host, port, ...serverNameOf(host), ...verifiedBy(tls) }, ready);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  // TLS does not hand the option on to the connection below it.
  if (tls !== undefined) socket.once('connect', () => socket.setNoDelay(true));
  return socket;
}
