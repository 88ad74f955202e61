import type { Envelope } from '@surety/contracts';

/** The step's name in metrics and logs: what was done, as design and docs call it. */
export function stepNameOf(event: Envelope): string {
  switch (event.type) {
    case 'requested':
      return 'request';
    case 'held':
      return 'hold';
    case 'credited':
    case 'refused':
      return 'credit';
    case 'voided':
      return 'void';
    case 'committed':
      return 'commit';
    case 'cancelled':
      return 'release';
    case 'rejected':
      return event.step === 20 ? 'hold' : 'release';
    default:
      return event.type satisfies never;
  }
}
