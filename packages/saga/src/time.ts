import type { Timestamp } from '@surety/contracts';

/** A database time moved by milliseconds, in the same notation. Pure: no clock is read. */
export function addMs(time: Timestamp, ms: number): Timestamp {
  return new Date(Date.parse(time) + ms).toISOString().replace('Z', '000Z');
}
