import type { SingleLine } from '../journal/batch-lines.js';
import { isBadRequest } from './asked-terms.js';

/** What must be refused, and what it is if a transfer came of it. */
const FAULTS = {
  /** Another body under a key that was used before. */
  reuse: 'used key made another transfer',
  badRequest: 'bad request took effect',
};
export type Fault = keyof typeof FAULTS;

/** Requests that must be refused: what tells them from others is only what was asked before them. */
export class FaultsAsked {
  /** Descriptions of those requests, and what it is if a transfer has one of them. */
  readonly forbidden = new Map<string, string>();
  readonly #firstRequests = new Map<string, string>();

  take(line: SingleLine): Fault | undefined {
    const fault = this.#faultOf(line);
    if (fault) this.forbidden.set(String(line.request?.['description']), FAULTS[fault]);
    return fault;
  }

  /** A bad request leaves its key free. */
  #faultOf(line: SingleLine): Fault | undefined {
    const { op, request = {} } = line;
    if (op !== 'submit' && op !== 'fund') return undefined;
    if (op === 'submit' && isBadRequest(request)) return 'badRequest';
    return this.#isReuse(line) ? 'reuse' : undefined;
  }

  #isReuse({ key, request }: SingleLine): boolean {
    const text = JSON.stringify(request);
    const first = this.#firstRequests.get(key) ?? text;
    this.#firstRequests.set(key, first);
    return first !== text;
  }
}
