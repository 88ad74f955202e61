import { SLOT_COUNT } from './routing.js';

/** Canonical lower-case text of a UUIDv7 whose rand_a bits are the source account's slot. */
export type TransferId = string;
export type AccountId = string;

/**
 * 1 to 64 characters, and not `.` or `..`: as a segment of a path those are removed by clients on the
 * way (RFC 3986, section 5.2.4), so that no request would name the account.
 */
export const ACCOUNT_ID = /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,64}$/;
/** Whom an account belongs to: a name that is in no path. */
export const OWNER = /^[A-Za-z0-9._:-]{1,64}$/;
/** Keys are 1 to 255 printable ASCII characters (0x21 to 0x7e). */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

const TRANSFER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const UNIX_MS_MAX = 2 ** 48 - 1;
const RANDOM_BYTES = 8;
const NO_RANDOM = new Uint8Array(RANDOM_BYTES);
/** Each byte in two digits: an id is made for every request, and printing a number costs more. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * Composes a transfer id (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 12 bits rand_a
 * holding the source slot so that polls route by the id alone, 62 random bits.
 * The time in it orders inserts; nothing is ever decided by it.
 */
export function composeTransferId(
  unixMs: number,
  sourceSlot: number,
  random: Uint8Array,
): TransferId {
  if (!Number.isInteger(unixMs) || unixMs < 0 || unixMs > UNIX_MS_MAX) {
    throw new RangeError(`not a time in Unix milliseconds: ${unixMs}`);
  }
  if (!Number.isInteger(sourceSlot) || sourceSlot < 0 || sourceSlot >= SLOT_COUNT) {
    throw new RangeError(`not a slot: ${sourceSlot}`);
  }
  if (random.length < RANDOM_BYTES) throw new RangeError('a transfer id needs 8 random bytes');
  const time = unixMs.toString(16).padStart(12, '0');
  const slot = sourceSlot.toString(16).padStart(3, '0');
  const variant = hexOf(((random[0] as number) & 0x3f) | 0x80) + hexOf(random[1]);
  let tail = '';
  for (let at = 2; at < RANDOM_BYTES; at += 1) tail += hexOf(random[at]);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${slot}-${variant}-${tail}`;
}

/** The smallest id that a transfer of this time can have, and those of every earlier one lie before. */
export function firstTransferIdOf(unixMs: number): TransferId {
  return composeTransferId(Math.max(0, Math.floor(unixMs)), 0, NO_RANDOM);
}

function hexOf(byte: number | undefined): string {
  return HEX[byte as number] as string;
}

/** The id in canonical form (lower case), or undefined where the text is no transfer id of ours. */
export function parseTransferId(text: string): TransferId | undefined {
  const canonical = text.toLowerCase();
  return TRANSFER_ID.test(canonical) ? canonical : undefined;
}

/** The 32 hex digits of an id, as BINARY(16) holds them. Slices: half the price of a replacement. */
export function digitsOfTransferId(id: TransferId): string {
  return id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18) + id.slice(19, 23) + id.slice(24);
}

/** The source slot that the id carries in its rand_a bits. */
export function slotOfTransferId(id: TransferId): number {
  return Number.parseInt(id.slice(15, 18), 16);
}

const SYSTEM_PREFIX = '~';

/** Where money is between shards: one per slot and currency, legs only, no balance row. */
export function transitAccountId(slot: number, currency: string): AccountId {
  return `${SYSTEM_PREFIX}transit:${slot}:${currency}`;
}

/** Where money enters and leaves: one per slot and currency, legs only, no balance row. */
export function externalAccountId(slot: number, currency: string): AccountId {
  return `${SYSTEM_PREFIX}external:${slot}:${currency}`;
}

/** System accounts begin with a character that no customer's id may contain. */
export function isSystemAccountId(id: AccountId): boolean {
  return id.startsWith(SYSTEM_PREFIX);
}
