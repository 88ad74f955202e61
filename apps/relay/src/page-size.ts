export const PAGE_ROWS_MAX = 500;
/** A message is at most 256 KB, so even a page of the largest ones stays below 8 MB. */
export const PAGE_ROWS_MIN = 32;
const PAGE_BYTES_MAX = 8 * 1024 * 1024;

/**
 * How many rows to read next, after a cautious first page, so that a page of rows like the last ones
 * stays within its bound of bytes: after an outage the largest messages are what has piled up.
 */
export function nextPageRows(payloads: readonly { readonly payload: string }[]): number {
  const bytes = payloads.reduce((sum, { payload }) => sum + payload.length, 0);
  const rows = Math.floor((PAGE_BYTES_MAX * payloads.length) / Math.max(1, bytes));
  return Math.max(PAGE_ROWS_MIN, Math.min(PAGE_ROWS_MAX, rows));
}
