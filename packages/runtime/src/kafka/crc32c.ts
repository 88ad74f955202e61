const SLICES = 8;
/** Castagnoli's polynomial, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

function remainderOf(byte: number): number {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  }
  return remainder;
}

/** What the lowest byte of `index` adds. */
function lookUp(table: Int32Array, index: number): number {
  return table[index & 255] ?? 0;
}

/** Of a byte that is followed by one more byte of zeros than in `table`. */
function shifted(table: Int32Array): Int32Array {
  return table.map((value) => lookUp(T0, value) ^ (value >>> 8));
}

const T0 = Int32Array.from({ length: 256 }, (_, byte) => remainderOf(byte));
const T1 = shifted(T0);
const T2 = shifted(T1);
const T3 = shifted(T2);
const T4 = shifted(T3);
const T5 = shifted(T4);
const T6 = shifted(T5);
const T7 = shifted(T6);

/**
 * The checksum of record batches, of the bytes from `from` up to, not including, `to`; unsigned.
 * Eight bytes at a time, because Node has no CRC32C of its own, only CRC32.
 */
export function crc32c(bytes: Buffer, from = 0, to = bytes.length): number {
  // Its words are read four times as fast as those of a Buffer.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let crc = -1;
  let at = from;
  for (; at + SLICES <= to; at += SLICES) {
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      lookUp(T7, low) ^
      lookUp(T6, low >>> 8) ^
      lookUp(T5, low >>> 16) ^
      lookUp(T4, low >>> 24) ^
      lookUp(T3, high) ^
      lookUp(T2, high >>> 8) ^
      lookUp(T1, high >>> 16) ^
      lookUp(T0, high >>> 24);
  }
  for (; at < to; at += 1) crc = lookUp(T0, crc ^ (bytes[at] ?? 0)) ^ (crc >>> 8);
  return ~crc >>> 0;
}
