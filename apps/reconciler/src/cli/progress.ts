import type { CliHost } from './host.js';

/** A terminal's line is written over this often, at most. */
const TERMINAL_INTERVAL_MS = 200;
/** Without a terminal every line stays, so few are written. */
const LINE_INTERVAL_MS = 5_000;

/**
 * Says on the error output how far a long piece of work is; the output itself stays for the result.
 * A terminal sees one line that changes. Elsewhere a line is written now and then, and none at all
 * for work that is done before the first is due.
 */
export class Progress {
  readonly #host: Pick<CliHost, 'printError' | 'terminal'>;
  readonly #label: string;
  readonly #nowMs: () => number;
  #nextMs: number;

  constructor(
    host: Pick<CliHost, 'printError' | 'terminal'>,
    label: string,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#host = host;
    this.#label = label;
    this.#nowMs = nowMs;
    this.#nextMs = nowMs() + (host.terminal ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS);
  }

  /** @param total where it is known beforehand */
  at(done: number | bigint, total?: number | bigint): void {
    const nowMs = this.#nowMs();
    if (nowMs < this.#nextMs) return;
    const text = `${this.#label}: ${done}${total === undefined ? '' : ` of ${total}`}`;
    const { terminal } = this.#host;
    if (terminal) terminal.showLine(text);
    else this.#host.printError(text);
    this.#nextMs = nowMs + (terminal ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS);
  }

  /** Leaves the terminal clean for the result. */
  end(): void {
    this.#host.terminal?.showLine('');
  }
}
