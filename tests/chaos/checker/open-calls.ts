import { answersIn, requestsIn } from '../journal/batch-lines.js';
import type { SingleLine } from '../journal/batch-lines.js';
import type { JournalAnswer, JournalLine } from '../journal/journal.js';

/** A request and what it was told, alone or of a batch. */
export interface AnsweredRequest<Call> {
  readonly line: SingleLine;
  /** What was kept of it when it was made. */
  readonly call: Call;
  readonly answer: JournalAnswer;
}

/** The requests of which a call was made: one, or as many as its batch had members. */
type Parts<Call> = readonly { readonly request: SingleLine; readonly call: Call }[];

/**
 * Calls from their first line to their second. A batch is taken apart here: who reads on sees its
 * members as if each had come alone, with its own answer.
 */
export class OpenCalls<Call> {
  readonly #count: (name: string, more?: number) => void;
  readonly #parts = new Map<number, Parts<Call>>();

  constructor(count: (name: string, more?: number) => void) {
    this.#count = count;
  }

  /** @param keep what is to be known of a request when its answer comes */
  asked(line: JournalLine, keep: (request: SingleLine) => Call): void {
    this.#count('calls');
    const requests = requestsIn(line);
    if (line.op === 'batch') {
      this.#count('batches');
      this.#count('members', requests.length);
    }
    this.#parts.set(
      line.call,
      requests.map((request) => ({ request, call: keep(request) })),
    );
  }

  /** Undefined where nobody made the call. */
  answered(line: JournalLine, whole: JournalAnswer): readonly AnsweredRequest<Call>[] | undefined {
    const parts = this.#parts.get(line.call);
    this.#parts.delete(line.call);
    if (!parts) return undefined;
    if ('unknown' in whole) this.#count('unknownAnswers');
    const answers = answersIn(whole, parts.length);
    return parts.map(({ request: { op, key }, call }, at) => {
      const answer = answers[at] as JournalAnswer;
      if (line.op === 'batch' && 'status' in answer && answer.status === 202) {
        this.#count('membersTaken');
      }
      return { line: { ...line, op, key }, call, answer };
    });
  }

  /** Those that were never answered. */
  left(): readonly Call[] {
    this.#count('neverAnswered', this.#parts.size);
    return [...this.#parts.values()].flat().map(({ call }) => call);
  }
}
