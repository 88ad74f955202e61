import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

export type Operation = 'open' | 'fund' | 'submit' | 'batch' | 'cancel' | 'poll';

/** An answer that came, or why none did: then what the request has done is unknown. */
export type JournalAnswer =
  | { readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly unknown: string };

/**
 * One event at the client. A call has two lines, the first before it is sent, the second after its
 * answer; a call with one line was never answered. The order of the lines is the order of the
 * events: what was answered above a call's first line was known before the call was made.
 */
export interface JournalLine {
  readonly call: number;
  readonly at: string;
  readonly op: Operation;
  /** Of one key, batch or transfer, from 1. */
  readonly attempt: number;
  /** The idempotency key, the account's id where one is opened, or the client's name for a batch. */
  readonly key: string;
  /** The server that was asked. */
  readonly via: string;
  /** Of polls and cancels, and of every answer that names a transfer. */
  readonly transferId?: string;
  /** In the first line. */
  readonly request?: Readonly<Record<string, unknown>>;
  /** In the second line. */
  readonly answer?: JournalAnswer;
}

export type Asked = Omit<JournalLine, 'call' | 'at' | 'answer'>;

/** Append-only. A line is with the operating system before `asked` and `answered` return. */
export class Journal {
  readonly file: string;
  readonly #descriptor: number;
  #calls = 0;
  #isOpen = true;

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.file = file;
    this.#descriptor = openSync(file, 'a');
  }

  asked(asked: Asked): number {
    this.#calls += 1;
    this.#append({ call: this.#calls, at: new Date().toISOString(), ...asked });
    return this.#calls;
  }

  answered(call: number, asked: Asked, answer: JournalAnswer): void {
    const { request: _, ...rest } = asked;
    const transferId = 'status' in answer ? answer.body['transactionId'] : undefined;
    this.#append({
      call,
      at: new Date().toISOString(),
      ...rest,
      ...(typeof transferId === 'string' ? { transferId } : {}),
      answer,
    });
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
  }

  /** After the end nobody listens: an answer that comes then is no longer known. */
  #append(line: JournalLine): void {
    if (this.#isOpen) writeSync(this.#descriptor, `${JSON.stringify(line)}\n`);
  }
}

/** Reads a journal line by line, however long it is. */
export async function* readJournal(file: string): AsyncGenerator<JournalLine> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  for await (const text of lines) {
    if (text !== '') yield JSON.parse(text) as JournalLine;
  }
}
