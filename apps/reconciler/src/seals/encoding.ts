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
  const texts = fields.map((field) => (field === null ? null : String(field)));
  const all = texts.join('');
  const isAscii = Buffer.byteLength(all) === all.length;
  return isAscii ? encodeAscii(texts) : encodeUtf8(texts);
}

/** Nearly every list: one string of one character a byte is several times faster than many writes. */
function encodeAscii(texts: readonly (string | null)[]): Buffer {
  let bytes = '';
  for (const text of texts) {
    if (text === null) bytes += NO_VALUE_TEXT;
    else bytes += (SHORT_LENGTHS[text.length] ?? longLength(text.length)) + text;
  }
  return Buffer.from(bytes, 'latin1');
}

function longLength(length: number): string {
  return String.fromCharCode(
    length >>> 24,
    (length >>> 16) & 255,
    (length >>> 8) & 255,
    length & 255,
  );
}

function encodeUtf8(texts: readonly (string | null)[]): Buffer {
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
const LEAF = Buffer.from([0]);
const SEAL = Buffer.from([2]);

/** SHA-256 of a leaf of a Merkle tree, as in RFC 6962. */
export function hashLeaf(data: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([LEAF, data]), 'buffer');
}

/** An entry covers every leg of its step: the legs of system accounts have no number of their own. */
export function hashEntry(entry: StepEntry): Buffer {
  const { account, entrySeq, transferId, step, leg, legs } = entry;
  const head: Field[] = ['entry/1', account, entrySeq, transferId, step, leg, legs.length];
  return hashLeaf(encodeFields([...head, ...legs.flatMap(legFields)]));
}

function legFields(leg: StoredLeg): readonly Field[] {
  return [
    leg.leg,
    leg.slot,
    leg.account,
    leg.entrySeq,
    leg.minor,
    leg.currency,
    leg.balanceAfter,
    leg.postedAt,
  ];
}

/** Also the leaf of the part in its seal's tree. */
export function hashPart(part: Omit<SealPartRow, 'hash'>): Buffer {
  const { seal, account, slot, firstSeq, lastSeq, balance, root, witness, previousHash } = part;
  const sealed: Field[] = ['part/1', seal, account, slot, firstSeq, lastSeq, balance];
  return hashLeaf(encodeFields([...sealed, root, witness, previousHash]));
}

export function hashSeal(seal: Omit<SealRow, 'hash'>): string {
  const { shard, parts, entries, sealedAt, root, previousHash } = seal;
  const fields: Field[] = ['seal/1', shard, seal.seal, parts, entries, sealedAt];
  const data = encodeFields([...fields, root, previousHash]);
  return hash('sha256', Buffer.concat([SEAL, data]));
}
