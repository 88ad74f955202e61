import { inspect } from 'node:util';

const HIDDEN = '***';

/**
 * A text that nobody sees who does not ask for it by name: in log lines, error texts, JSON and the
 * inspector it is `***`, also where the object that holds it is printed whole.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** For the place that hands it to a peer or to a library, and for no other. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
