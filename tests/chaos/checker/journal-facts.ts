import { readJournal } from '../journal/journal.js';
import type { JournalAnswer, JournalLine } from '../journal/journal.js';
import type { SingleLine } from '../journal/batch-lines.js';
import { termsOfFunding, termsOfTransfer } from './asked-terms.js';
import type { Terms } from './asked-terms.js';
import { FaultsAsked } from './faults-asked.js';
import type { Fault } from './faults-asked.js';
import { OpenCalls } from './open-calls.js';
import { StatusesHeard } from './statuses-heard.js';
import type { SeenTransfer } from './statuses-heard.js';
import { TermsHeard } from './told-terms.js';
import type { ToldTerms } from './told-terms.js';
import type { Violations } from './violations.js';

/** A movement of money that was asked for under one key, and what was heard of it. */
export interface AskedMovement {
  readonly key: string;
  readonly kind: 'transfer' | 'funding';
  /** In a funding the outside is the empty text. */
  readonly terms: Terms;
  /** Ids that were acknowledged under this key. */
  readonly ids: Set<string>;
  /** An answer is missing or left it open: it may exist without being acknowledged. */
  mayExist: boolean;
}

export interface AskedAccount {
  readonly currency: string;
  isAcknowledged: boolean;
}

/** All that the clients know. */
export interface JournalFacts {
  readonly movements: ReadonlyMap<string, AskedMovement>;
  readonly accounts: ReadonlyMap<string, AskedAccount>;
  /** The furthest status seen of each transfer. */
  readonly seen: ReadonlyMap<string, SeenTransfer>;
  /** What answers said of each transfer's terms. */
  readonly terms: ReadonlyMap<string, ToldTerms>;
  /** Descriptions of requests that must never have become a transfer, and what it is if one has. */
  readonly forbidden: ReadonlyMap<string, string>;
  readonly counts: Record<string, number>;
}

/** A request, alone or of a batch, whose answer has not been read yet. */
interface OpenCall {
  readonly op: SingleLine['op'];
  readonly key: string;
  /** The transfer that it asks about. */
  readonly transferId: string | undefined;
  /** What was known of the transfer when the call was made. */
  readonly knownBefore: SeenTransfer | undefined;
  readonly fault: Fault | undefined;
}

type Body = Readonly<Record<string, unknown>>;

/** Reads the journal and finds what is wrong in it alone: answers that contradict each other. */
export async function readFacts(file: string, violations: Violations): Promise<JournalFacts> {
  const reading = new Reading(violations);
  for await (const line of readJournal(file)) reading.take(line);
  return reading.finish();
}

class Reading {
  readonly #violations: Violations;
  readonly #movements = new Map<string, AskedMovement>();
  readonly #accounts = new Map<string, AskedAccount>();
  readonly #statuses: StatusesHeard;
  readonly #faults = new FaultsAsked();
  readonly #terms: TermsHeard;
  readonly #calls = new OpenCalls<OpenCall>((name, more) => {
    this.#count(name, more);
  });
  readonly #counts: Record<string, number> = { calls: 0, unknownAnswers: 0, polls: 0 };
  #line = 0;

  constructor(violations: Violations) {
    this.#violations = violations;
    this.#terms = new TermsHeard(violations);
    this.#statuses = new StatusesHeard(violations);
  }

  take(line: JournalLine): void {
    this.#line += 1;
    if (line.answer === undefined) this.#calls.asked(line, (request) => this.#asked(request));
    else this.#callAnswered(line, line.answer);
  }

  finish(): JournalFacts {
    for (const call of this.#calls.left()) this.#leftOpen(call);
    return {
      movements: this.#movements,
      accounts: this.#accounts,
      seen: this.#statuses.seen,
      terms: this.#terms.terms,
      forbidden: this.#faults.forbidden,
      counts: this.#counts,
    };
  }

  #asked(line: SingleLine): OpenCall {
    const { op, key, request = {} } = line;
    const fault = this.#faults.take(line);
    if (!fault && (op === 'submit' || op === 'fund')) this.#movement(op, key, request);
    if (op === 'open') this.#account(key, request);
    return { op, key, fault, ...this.#known(aboutTransfer(line)) };
  }

  #known(transferId: string | undefined): Pick<OpenCall, 'transferId' | 'knownBefore'> {
    const seen = this.#statuses.seen.get(transferId ?? '');
    return { transferId, knownBefore: seen && { ...seen } };
  }

  /** Until every call has an answer that settles it, the movement may exist. */
  #movement(op: 'submit' | 'fund', key: string, request: Body): void {
    const known = this.#movements.get(key);
    this.#movements.set(
      key,
      known ?? {
        key,
        kind: op === 'submit' ? 'transfer' : 'funding',
        terms: op === 'submit' ? termsOfTransfer(request) : termsOfFunding(request),
        ids: new Set(),
        mayExist: false,
      },
    );
  }

  #account(id: string, request: Body): void {
    const known = this.#accounts.get(id);
    const currency = String(request['currency']);
    this.#accounts.set(id, known ?? { currency, isAcknowledged: false });
  }

  #callAnswered(line: JournalLine, whole: JournalAnswer): void {
    const requests = this.#calls.answered(line, whole);
    if (!requests) throw new Error(`line ${this.#line} answers a call that nobody made`);
    for (const { line: own, call, answer } of requests) this.#answered(own, call, answer);
  }

  #answered(line: SingleLine, call: OpenCall, answer: JournalAnswer): void {
    if ('unknown' in answer) this.#leftOpen(call);
    else if (answer.status === 500) {
      this.#violations.add('internal error', `${line.op} of ${line.key} at ${line.via}`);
      this.#leftOpen(call);
    } else if (answer.status > 500) this.#leftOpen(call);
    else this.#settled(line, call, answer);
  }

  /** A request whose outcome nobody told may have taken effect. */
  #leftOpen({ op, key, fault }: OpenCall): void {
    const movement = op === 'submit' || op === 'fund' ? this.#movements.get(key) : undefined;
    if (movement && !fault) movement.mayExist = true;
  }

  #settled(line: SingleLine, call: OpenCall, answer: { status: number; body: Body }): void {
    const { transactionId } = answer.body;
    if (typeof transactionId === 'string') {
      this.#terms.take(transactionId, answer.body);
      if (call.transferId !== undefined && call.transferId !== transactionId) {
        const detail = `${line.op} of ${call.transferId} was told of ${transactionId}`;
        this.#violations.add('answer about another transfer', detail);
        return;
      }
    }
    this.#settledBy(line, call, answer);
  }

  #settledBy(line: SingleLine, call: OpenCall, answer: { status: number; body: Body }): void {
    switch (line.op) {
      case 'open':
        this.#opened(line, answer);
        break;
      case 'submit':
      case 'fund':
        if (call.fault === 'reuse') this.#reused(line, answer);
        else if (call.fault === 'badRequest') this.#badlyAsked(line, answer);
        else this.#moved(line, answer);
        break;
      case 'poll':
        this.#polled(line, call, answer);
        break;
      case 'cancel':
        this.#cancelAnswered(line, call, answer);
        break;
      default:
        line.op satisfies never;
    }
  }

  #opened(line: SingleLine, { status, body }: { status: number; body: Body }): void {
    const account = this.#accounts.get(line.key);
    if (account && (status === 200 || status === 201)) account.isAcknowledged = true;
    else this.#unexpected(line, status, body);
  }

  #reused(line: SingleLine, answer: { status: number; body: Body }): void {
    if (answer.status === 422) this.#count('reusesRefused');
    else this.#notRefused(line, answer, 'key used for two requests');
  }

  #badlyAsked(line: SingleLine, answer: { status: number; body: Body }): void {
    if (answer.status === 400) this.#count('badRequestsRefused');
    else this.#notRefused(line, answer, 'bad request was taken');
  }

  #notRefused(
    line: SingleLine,
    { status, body }: { status: number; body: Body },
    whatIfTaken: string,
  ): void {
    if (status !== 202 && status !== 201) this.#unexpected(line, status, body);
    else {
      const id = String(body['transactionId']);
      this.#violations.add(whatIfTaken, `${line.key} was answered with ${id}`);
    }
  }

  #moved(line: SingleLine, { status, body }: { status: number; body: Body }): void {
    const movement = this.#movements.get(line.key) as AskedMovement;
    if (status === (line.op === 'submit' ? 202 : 201)) {
      const id = String(body['transactionId']);
      const isReplay = movement.ids.has(id);
      if (isReplay) this.#count('replays');
      else if (movement.ids.size > 0) {
        const ids = [...movement.ids, id].join(', ');
        this.#violations.add('key answered with several transfers', `${line.key}: ${ids}`);
      }
      movement.ids.add(id);
      if (line.op === 'fund') {
        const now = { status: 'committed', reason: undefined, line: this.#line };
        this.#statuses.take(id, now, undefined);
      }
    } else if (status === 422 && line.op === 'fund' && body['code'] !== 'idempotency-key-reused') {
      this.#count('fundingsRefused');
      if (movement.ids.size > 0) {
        this.#violations.add('answer taken back', `funding ${line.key} was refused later`);
      }
    } else this.#unexpected(line, status, body);
  }

  #polled(line: SingleLine, call: OpenCall, answer: { status: number; body: Body }): void {
    const { status, body } = answer;
    const id = line.transferId as string;
    this.#count('polls');
    if (status === 404) {
      this.#violations.add('acknowledged transfer not found', `${id} at ${line.via}`);
    } else if (status !== 200) this.#unexpected(line, status, body);
    else this.#sawIn(id, body['status'], body['reason'], call);
  }

  /** 200 is the cancelled transfer; 409 tells the state that won. */
  #cancelAnswered(line: SingleLine, call: OpenCall, answer: { status: number; body: Body }): void {
    const { status, body } = answer;
    const id = line.transferId as string;
    if (status === 200) {
      this.#count('cancelsWon');
      this.#sawIn(id, 'cancelled', body['reason'], call);
    } else if (status === 409) {
      this.#count('cancelsLost');
      this.#sawIn(id, body['state'], body['reason'], call);
    } else if (status === 404 && body['code'] !== 'route-not-found') {
      this.#violations.add('acknowledged transfer not found', `${id} at ${line.via}, on a cancel`);
    } else this.#unexpected(line, status, body);
  }

  #sawIn(id: string, status: unknown, reason: unknown, call: OpenCall): void {
    const text = typeof reason === 'string' ? reason : undefined;
    const now = { status: String(status), reason: text, line: this.#line };
    this.#statuses.take(id, now, call.knownBefore);
  }

  #unexpected(line: SingleLine, status: number, body: Body): void {
    const what = `${line.op} of ${line.key} at ${line.via}`;
    this.#violations.add('answer unexpected', `${what}: ${status} ${String(body['code'])}`);
  }

  #count(name: string, more = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + more;
  }
}

function aboutTransfer({ op, transferId }: SingleLine): string | undefined {
  return op === 'poll' || op === 'cancel' ? transferId : undefined;
}
