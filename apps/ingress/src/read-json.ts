import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { fieldError } from '@surety/contracts';
import { findDuplicateMember } from './duplicate-members.js';
import { Problem } from './problem.js';

/** The largest body of a single operation that is read into memory. */
export const BODY_BYTES_MAX = 64 * 1024;
/** The largest body of a batch. */
export const BATCH_BYTES_MAX = 1024 * 1024;

/**
 * How much of a body that is too large is read and thrown away, so that the client has finished
 * sending and reads the answer instead of a reset connection.
 */
const DISCARDED_BYTES_MAX = 2 * 1024 * 1024;

const CONTENT_TYPE = 'content-type';
const JSON_MEDIA_TYPE = /^application\/json[\t ]*(?:;[\t ]*charset="?utf-?8"?[\t ]*)?;?$/i;

const DUPLICATE_MEMBER =
  'An object has two members of one name, and which of them counts is unpredictable (RFC 8259, ' +
  'section 4). Nothing was written.';

/** The client went away before its request was complete; nobody is left to be answered. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/**
 * Reads and parses a JSON body.
 * @throws Problem unsupported-media-type, body-too-large, malformed-json, invalid-request; ClientGone
 */
export async function readJson(
  request: IncomingMessage,
  bytesMax = BODY_BYTES_MAX,
): Promise<unknown> {
  return parseJson(await readBody(request, bytesMax));
}

/**
 * Reads a body that says of itself that it is JSON.
 * @throws Problem unsupported-media-type, body-too-large; ClientGone
 */
export async function readBody(
  request: IncomingMessage,
  bytesMax = BODY_BYTES_MAX,
): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  const isPlain = encoding === undefined || encoding.toLowerCase() === 'identity';
  if (!isPlain || !isJson(request)) {
    throw new Problem('unsupported-media-type');
  }
  const bytes = await readBytes(request, bytesMax);
  if (!bytes) throw new Problem('body-too-large');
  return bytes;
}

/** Of two lines that differ Node gives the first, and whoever is in between may go by the other. */
function isJson({ headers, rawHeaders }: IncomingMessage): boolean {
  if (!JSON_MEDIA_TYPE.test(headers[CONTENT_TYPE] ?? '')) return false;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    // The length first: every request comes here, with some ten headers.
    if (name.length !== CONTENT_TYPE.length || name.toLowerCase() !== CONTENT_TYPE) continue;
    if (!JSON_MEDIA_TYPE.test(rawHeaders[at + 1] as string)) return false;
  }
  return true;
}

/** Whether a body that has come is one that readBody reads, as far as that is quickly told. */
export function isPlainJson({ headers }: IncomingMessage): boolean {
  if (headers['content-type'] !== 'application/json') return false;
  if (headers['content-encoding'] !== undefined) return false;
  return Number(headers['content-length'] ?? NaN) <= BODY_BYTES_MAX;
}

/**
 * Reads a JSON document (RFC 8259) that has one meaning only: no object of it has two members of one
 * name.
 * @throws Problem malformed-json, or invalid-request naming the member that comes again
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new Problem('malformed-json');
  const json = parsed(bytes);
  const pointer = findDuplicateMember(bytes, json);
  if (pointer === undefined) return json;
  const errors = [fieldError(pointer, 'duplicate_member')];
  throw new Problem('invalid-request', { detail: DUPLICATE_MEMBER, errors });
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw new Problem('malformed-json');
  }
}

/** Whether a body comes with the request (RFC 9112, section 6). */
export function hasBody({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  return Number(headers['content-length'] ?? 0) > 0;
}

/** All bytes of the body, or undefined where there are too many. */
function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > DISCARDED_BYTES_MAX) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= bytesMax) chunks.push(chunk);
      else if (length > DISCARDED_BYTES_MAX) resolve(undefined);
    });
    request.once('end', () => {
      resolve(length > bytesMax ? undefined : joined(chunks));
    });
    request.once('error', () => {
      reject(new ClientGone('the client went away while it sent its request'));
    });
  });
}

function joined(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}
