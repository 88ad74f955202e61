import type { Output } from './output.js';

/** A person at the other end: questions can be asked, a line can be written over. */
export interface Terminal {
  /** @throws CliError where the person leaves instead of answering. */
  ask(question: string): Promise<string>;
  /** Puts the text in place of the line shown before; an empty text takes that line away. */
  showLine(text: string): void;
}

/** What a command is run with: the caller's environment and place, and where to write. */
export interface CliHost extends Output {
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  /** Absent where nobody can be asked: a pipe, a timer, a container without a terminal. */
  readonly terminal?: Terminal | undefined;
  /** Ends what goes on until it is told to stop. */
  readonly signal?: AbortSignal;
}

/** What a group of commands is registered with. */
export interface CommandContext {
  readonly host: CliHost;
  /** The exit code of the command that ran. */
  readonly exit: (code: number) => void;
}
