import { hash } from 'node:crypto';
import type { SealPartRow, SealRow, StepEntry, StoredLeg } from '@surety/db';

/**
 * The one form in which ledger rows are hashed. A field is its length in four bytes, then its bytes;
 * no value has the length of all ones. So no two lists of fields have the same bytes, whatever is in
 * them. Numbers are decimal digits; hashes and ids are their text.
 */
export type Field = string | bigint | number | null;

const NO_VALUE = 0xffffffff;
const LENGTH_BYTES = 4;

/** The four bytes of a length below 256, one character a byte. */
const SHORT_LENGTHS = Array.from({ length: 256 }, (_, length) =>
  String.fromCharCode(0, 0, 0, length),
);
const NO_VALUE_TEXT = String.fromCharCode(255, 255, 255, 255);

export function encodeFields(fields: readonly Field[]): Buffer {
  return Buffer.from(encoded(fields), 'latin1');
}

/** One character a byte: one such string is several times faster than many writes. */
function encoded(fields: readonly Field[]): string {
  let bytes = '';
  let nulls = 0;
  for (const field of fields) {
    if (field === null) {
      bytes += NO_VALUE_TEXT;
      nulls += 1;
      continue;
    }
    const text = typeof field === 'string' ? field : String(field);
    bytes += (SHORT_LENGTHS[text.length] ?? longLength(text.length)) + text;
  }
  // Whatever is beyond ASCII, in a text or in the bytes of a length, is longer in UTF-8.
  const isAscii = Buffer.byteLength(bytes) === bytes.length + nulls * NO_VALUE_TEXT.length;
  return isAscii ? bytes : encodeUtf8(fields).toString('latin1');
}

function longLength(length: number): string {
  return String.fromCharCode(
    length >>> 24,
    (length >>> 16) & 255,
    (length >>> 8) & 255,
    length & 255,
  );
}

function encodeUtf8(fields: readonly Field[]): Buffer {
  const texts = fields.map((field) => (field === null ? null : String(field)));
  const size = texts.reduce(
    (sum, text) => sum + LENGTH_BYTES + (text === null ? 0 : Buffer.byteLength(text)),
    0,
  );
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of texts) {
    const length = text === null ? 0 : bytes.write(text, at + LENGTH_BYTES);
    at = bytes.writeUInt32BE(text === null ? NO_VALUE : length, at) + length;
  }
  return bytes;
}

/** What the first seal of a shard and the first part of an account go on from. */
export const NO_HASH = '00'.repeat(32);

/** Tells the three uses of the hash apart: a leaf can never stand for a node or a seal. */
const LEAF = String.fromCharCode(0);
const NODE = 1;
const SEAL = String.fromCharCode(2);

/**
 * What is hashed at this moment. A buffer of its own for each entry and each node, and another for
 * its hash, cost more than the hash itself; so all hashes are hex, too.
 */
const scratch = Buffer.alloc(4_096);
const HASH_BYTES = 32;

/** SHA-256 of what comes as one character a byte. Hex. */
function hashBytes(bytes: string): string {
  if (bytes.length > scratch.length) return hash('sha256', Buffer.from(bytes, 'latin1'));
  return hash('sha256', scratch.subarray(0, scratch.write(bytes, 'latin1')));
}

/** SHA-256 of a leaf of a Merkle tree, as in RFC 6962. Hex. */
export function hashLeaf(data: Uint8Array): string {
  return hashBytes(LEAF + Buffer.from(data).toString('latin1'));
}

/** A node of a Merkle tree, as in RFC 6962, above two hashes. Hex. */
export function hashNode(left: string, right: string): string {
  scratch[0] = NODE;
  scratch.write(left, 1, 'hex');
  scratch.write(right, 1 + HASH_BYTES, 'hex');
  return hash('sha256', scratch.subarray(0, 1 + 2 * HASH_BYTES));
}

/**
 * An entry covers every leg of its step: the legs of system accounts have no number of their own.
 * Hex.
 */
export function hashEntry(entry: StepEntry): string {
  const { account, entrySeq, transferId, step, leg, legs } = entry;
  const fields: Field[] = ['entry/1', account, entrySeq, transferId, step, leg, legs.length];
  for (const one of legs) pushLeg(fields, one);
  return hashBytes(LEAF + encoded(fields));
}

function pushLeg(fields: Field[], leg: StoredLeg): void {
  fields.push(leg.leg, leg.slot, leg.account, leg.entrySeq);
  fields.push(leg.minor, leg.currency, leg.balanceAfter, leg.postedAt);
}

/** Also the leaf of the part in its seal's tree. Hex. */
export function hashPart(part: Omit<SealPartRow, 'hash'>): string {
  const { seal, account, slot, firstSeq, lastSeq, balance, root, witness, previousHash } = part;
  const sealed: Field[] = ['part/1', seal, account, slot, firstSeq, lastSeq, balance];
  return hashBytes(LEAF + encoded([...sealed, root, witness, previousHash]));
}

export function hashSeal(seal: Omit<SealRow, 'hash'>): string {
  const { shard, parts, entries, sealedAt, root, previousHash } = seal;
  const fields: Field[] = ['seal/1', shard, seal.seal, parts, entries, sealedAt];
  return hashBytes(SEAL + encoded([...fields, root, previousHash]));
}
