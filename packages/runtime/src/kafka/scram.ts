import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AuthenticationError } from './sasl-errors.js';

export type ScramDigest = 'sha256' | 'sha512';

export interface ScramCredentials {
  readonly username: string;
  readonly password: string;
}

/** No channel binding (RFC 5802, 7): brokers offer none. */
const GS2_HEADER = 'n,,';
const NONCE_BYTES = 24;
/** The least that RFC 7677, 4 allows: with fewer, a recorded exchange is too cheap to guess from. */
const ITERATIONS_MIN = 4_096;
/**
 * Each costs a client time, and the server names their number before it has proven who it is. Kafka
 * allows 16,384 at most; these take a tenth of a second.
 */
const ITERATIONS_MAX = 100_000;
const SERVER_FIRST =
  /^r=([\x21-\x2b\x2d-\x7e]+),s=((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?),i=(\d{1,9})(?:,.*)?$/;
const SERVER_FINAL = /^v=([A-Za-z0-9+/]+={0,2})(?:,.*)?$/;

const derive = promisify(pbkdf2);

/**
 * The client's side of one SCRAM exchange (RFC 5802; with SHA-256 RFC 7677): three calls in this
 * order. It proves that the client knows the password without sending it, and that the server knows
 * what was made of it. Passwords are not prepared by SASLprep, because Kafka does not do so either.
 */
export class ScramClient {
  private readonly digest: ScramDigest;
  private readonly password: string;
  private readonly nonce: string;
  private readonly firstBare: string;
  private expectedSignature: Buffer | undefined;

  /** @param nonce printable, without a comma; default: random */
  constructor(
    digest: ScramDigest,
    { username, password }: ScramCredentials,
    nonce = randomBytes(NONCE_BYTES).toString('base64'),
  ) {
    this.digest = digest;
    this.password = password;
    this.nonce = nonce;
    this.firstBare = `n=${saslName(username)},r=${nonce}`;
  }

  clientFirst(): string {
    return `${GS2_HEADER}${this.firstBare}`;
  }

  /** @throws AuthenticationError where the server's message is malformed, replayed or out of bounds */
  async clientFinal(serverFirst: string): Promise<string> {
    const { nonce, salt, iterations } = this.parse(serverFirst);
    const keyBytes = this.digest === 'sha256' ? 32 : 64;
    const salted = await derive(this.password, salt, iterations, keyBytes, this.digest);
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`;
    const exchange = `${this.firstBare},${serverFirst},${withoutProof}`;
    const clientKey = this.hmac(salted, 'Client Key');
    const storedKey = createHash(this.digest).update(clientKey).digest();
    const proof = xor(clientKey, this.hmac(storedKey, exchange));
    this.expectedSignature = this.hmac(this.hmac(salted, 'Server Key'), exchange);
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** @throws AuthenticationError where the server did not prove that it knows the password */
  verify(serverFinal: string): void {
    const signature = Buffer.from(SERVER_FINAL.exec(serverFinal)?.[1] ?? '', 'base64');
    const expected = this.expectedSignature;
    const isProven = expected?.length === signature.length && timingSafeEqual(expected, signature);
    if (!isProven) throw new AuthenticationError('the broker does not prove who it is');
  }

  private parse(serverFirst: string): { nonce: string; salt: Buffer; iterations: number } {
    const [, nonce = '', salt = '', count] = SERVER_FIRST.exec(serverFirst) ?? [];
    if (!nonce || !salt) throw new AuthenticationError('the broker answers no SCRAM message');
    if (!nonce.startsWith(this.nonce) || nonce.length === this.nonce.length) {
      throw new AuthenticationError('the broker answers with a nonce that is not made of ours');
    }
    const iterations = Number(count);
    if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {
      const bounds = `from ${ITERATIONS_MIN} to ${ITERATIONS_MAX}`;
      throw new AuthenticationError(`the broker asks for ${iterations} iterations, not ${bounds}`);
    }
    return { nonce, salt: Buffer.from(salt, 'base64'), iterations };
  }

  private hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.digest, key).update(text).digest();
  }
}

/** Comma and equals sign end attributes (RFC 5802, 5.1). */
function saslName(username: string): string {
  return username.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, at) => byte ^ (right[at] ?? 0)));
}
