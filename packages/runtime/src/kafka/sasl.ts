import { isLoopback } from './cluster.js';
import type { KafkaSasl } from './cluster.js';
import { AuthenticationError } from './sasl-errors.js';
import { ScramClient } from './scram.js';
import type { ScramDigest } from './scram.js';

/** As the protocol calls the mechanism. */
export function mechanismName(sasl: KafkaSasl): string {
  return sasl.mechanism.toUpperCase();
}

export interface SaslPeer {
  /** As it was connected to. */
  readonly host: string;
  readonly isEncrypted: boolean;
  /** Sends a message of the mechanism and resolves with the broker's. */
  readonly ask: (message: Buffer) => Promise<Buffer>;
}

/**
 * The exchange of messages that the mechanism asks for, once it is agreed on. A password in the clear
 * is refused here once more: brokers name addresses that no setting knows.
 * @throws AuthenticationError, and what `ask` throws
 */
export async function exchangeMessages(sasl: KafkaSasl, peer: SaslPeer): Promise<void> {
  switch (sasl.mechanism) {
    case 'plain':
      if (!peer.isEncrypted && !isLoopback(peer.host)) {
        throw new AuthenticationError('the password is not sent without TLS beyond loopback');
      }
      await peer.ask(plainMessage(sasl));
      return;
    case 'scram-sha-256':
      await exchangeScram('sha256', sasl, peer);
      return;
    case 'scram-sha-512':
      await exchangeScram('sha512', sasl, peer);
      return;
    default:
      sasl.mechanism satisfies never;
  }
}

/** RFC 4616, 2: no identity to act as, the user, the password, with a NUL before each of the last two. */
function plainMessage({ username, password }: KafkaSasl): Buffer {
  return Buffer.from(`\0${username}\0${password.reveal()}`);
}

async function exchangeScram(
  digest: ScramDigest,
  { username, password }: KafkaSasl,
  { ask }: SaslPeer,
): Promise<void> {
  const scram = new ScramClient(digest, { username, password: password.reveal() });
  const serverFirst = await ask(Buffer.from(scram.clientFirst()));
  const serverFinal = await ask(Buffer.from(await scram.clientFinal(serverFirst.toString())));
  scram.verify(serverFinal.toString());
}
