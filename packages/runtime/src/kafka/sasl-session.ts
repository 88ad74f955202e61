import type { BrokerAddress, KafkaCluster, KafkaSasl } from './cluster.js';
import type { RequestHead } from './producer-requests.js';
import { exchangeMessages, mechanismName } from './sasl.js';
import { AuthenticationError, authenticationRefusal } from './sasl-errors.js';
import {
  decodeSaslAuthenticate,
  decodeSaslHandshake,
  encodeSaslAuthenticate,
  encodeSaslHandshake,
} from './sasl-requests.js';

export interface SaslConnection extends Pick<KafkaCluster, 'tls'> {
  readonly address: BrokerAddress;
  /** Sends a request and resolves with the answer after its correlation id. */
  readonly request: (encode: (head: RequestHead) => Buffer) => Promise<Buffer>;
}

/**
 * Agrees on the mechanism and authenticates: the first requests of a connection.
 * @returns milliseconds for which the broker lets us in; 0: without an end
 * @throws AuthenticationError that names the mechanism, and what `request` throws
 */
export async function authenticate(sasl: KafkaSasl, connection: SaslConnection): Promise<number> {
  try {
    return await converse(sasl, connection);
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error;
    throw new AuthenticationError(`SASL ${mechanismName(sasl)}: ${error.message}`);
  }
}

async function converse(
  sasl: KafkaSasl,
  { address, tls, request }: SaslConnection,
): Promise<number> {
  const errorCode = decodeSaslHandshake(
    await request((head) => encodeSaslHandshake(head, mechanismName(sasl))),
  );
  if (errorCode !== 0) throw authenticationRefusal(errorCode);
  let lifetimeMs = 0;
  const ask = async (message: Buffer): Promise<Buffer> => {
    const answer = decodeSaslAuthenticate(
      await request((head) => encodeSaslAuthenticate(head, message)),
    );
    if (answer.errorCode !== 0) throw authenticationRefusal(answer.errorCode);
    lifetimeMs = answer.lifetimeMs;
    return answer.message;
  };
  await exchangeMessages(sasl, { host: address.host, isEncrypted: tls !== undefined, ask });
  return lifetimeMs;
}
