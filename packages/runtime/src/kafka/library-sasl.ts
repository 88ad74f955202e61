import type { AuthenticationProviderArgs, Authenticator, Mechanism } from 'kafkajs';
import type { KafkaSasl } from './cluster.js';
import { exchangeMessages, mechanismName } from './sasl.js';
import { AuthenticationError, authenticationRefusal } from './sasl-errors.js';

const LENGTH_BYTES = 4;

/**
 * Lets the library authenticate by our own exchange: one implementation with its bounds, and the
 * password stays with us.
 */
export function librarySasl(sasl: KafkaSasl, isEncrypted: boolean): Mechanism {
  const mechanism = mechanismName(sasl);
  return {
    mechanism,
    authenticationProvider: (connection) => authenticator(sasl, isEncrypted, connection),
  };
}

function authenticator(
  sasl: KafkaSasl,
  isEncrypted: boolean,
  { host, port, saslAuthenticate }: AuthenticationProviderArgs,
): Authenticator {
  // The library hands messages over with their lengths before them, in both directions.
  const ask = async (message: Buffer): Promise<Buffer> => {
    const answer = await saslAuthenticate<Buffer>({
      request: { encode: () => withLength(message) },
      response: { decode: withoutLength, parse: (data) => data },
    });
    return answer ?? Buffer.alloc(0);
  };
  return {
    authenticate: async () => {
      try {
        await exchangeMessages(sasl, { host, isEncrypted, ask });
      } catch (error) {
        const refused = refusalIn(error);
        if (refused === undefined) throw error;
        const what = `SASL ${mechanismName(sasl)}: ${refused.message} (${host}:${port})`;
        throw new AuthenticationError(what);
      }
    },
  };
}

/** The library tells a refusal in the broker's words; of these only the code is taken. */
function refusalIn(error: unknown): AuthenticationError | undefined {
  if (error instanceof AuthenticationError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? authenticationRefusal(code) : undefined;
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeInt32BE(message.length);
  return Buffer.concat([length, message]);
}

function withoutLength(bytes: Buffer): Buffer {
  return bytes.subarray(LENGTH_BYTES);
}
