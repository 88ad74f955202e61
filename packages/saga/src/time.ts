import type { Timestamp } from '@surety/contracts';

/** What was moved last: all rows of a batch move the time of their transaction by as much. */
let last: { readonly time: Timestamp; readonly ms: number; readonly moved: Timestamp } | undefined;

/** A database time moved by milliseconds, in the same notation. Pure: no clock is read. */
export function addMs(time: Timestamp, ms: number): Timestamp {
  if (last?.time !== time || last.ms !== ms) last = { time, ms, moved: movedBy(time, ms) };
  return last.moved;
}

function movedBy(time: Timestamp, ms: number): Timestamp {
  return new Date(Date.parse(time) + ms).toISOString().replace('Z', '000Z');
}
