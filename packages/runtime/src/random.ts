import { randomFillSync } from 'node:crypto';

/** One call to the system's randomness costs about as much for a few KB as for eight bytes. */
const POOL_BYTES = 4096;
const POOL = Buffer.allocUnsafeSlow(POOL_BYTES);
let taken = POOL_BYTES;

/**
 * Fresh random bytes as lower-case hex, two digits a byte. For ids: each byte is handed out once
 * and is overwritten as it leaves, yet those to come lie in memory for a while. What must stay
 * secret is drawn from node:crypto instead.
 * @throws RangeError where more is asked for than the pool holds
 */
export function randomHex(count: number): string {
  const from = reserve(count);
  const text = POOL.toString('hex', from, taken);
  wipe(from);
  return text;
}

/** The same bytes as they are, in an array of the caller's own. @throws RangeError */
export function takeRandomBytes(count: number): Uint8Array {
  const from = reserve(count);
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += 1) bytes[at] = POOL[from + at] as number;
  wipe(from);
  return bytes;
}

/** Where the next bytes begin; they end at `taken`. What is left of a pool is not worth keeping. */
function reserve(count: number): number {
  if (count > POOL_BYTES) {
    throw new RangeError(`${count} random bytes are more than the pool holds`);
  }
  if (taken + count > POOL_BYTES) {
    randomFillSync(POOL);
    taken = 0;
  }
  const from = taken;
  taken += count;
  return from;
}

function wipe(from: number): void {
  for (let at = from; at < taken; at += 1) POOL[at] = 0;
}
