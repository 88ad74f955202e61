import { decodeMessage, encodeMessage } from './envelope.js';
import type { Envelope } from './envelope.js';

/**
 * The one event of a text of transfer_events, judged as its receivers do, or why there is none: for
 * readers of many rows that must not end at one of them.
 * @param id transferId/step, as the row's key has it
 */
export function judgeStored(
  id: string,
  encoded: string,
): { readonly envelope: Envelope } | { readonly fault: string } {
  const decoded = decodeMessage(encodeMessage([encoded]));
  switch (decoded.kind) {
    case 'events': {
      const [envelope] = decoded.events;
      if (!envelope) return { fault: 'it is empty' };
      return envelope.id === id ? { envelope } : { fault: `it tells of ${envelope.id}` };
    }
    case 'unknown_schema':
      return { fault: `a newer release wrote it, with schema ${decoded.schema}` };
    case 'malformed':
      return { fault: decoded.error };
    default:
      return decoded satisfies never;
  }
}
