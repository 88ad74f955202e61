import type { Terminal } from './host.js';
import { runCli } from './program.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a change needs where nobody can be asked. */
export const BECAUSE = ['--reason', 'a spec wants it', '--yes', '--operator', 'spec'] as const;

export interface RunOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Without one, no system is found by its place. */
  readonly directory?: string;
  readonly terminal?: Terminal;
  readonly signal?: AbortSignal;
  /** Sees each text as it is printed. */
  readonly printed?: (text: string) => void;
}

/** Runs a command in this process: the same code without the time that a start takes. */
export async function runInProcess(
  args: readonly string[],
  { environment, directory = '/nowhere', terminal, signal, printed }: RunOptions,
): Promise<Ran> {
  const lines = { out: '', err: '' };
  const code = await runCli(args, {
    ...{ environment, directory, terminal },
    ...(signal ? { signal } : {}),
    print: (text) => {
      lines.out += `${text}\n`;
      printed?.(text);
    },
    printError: (text) => (lines.err += `${text}\n`),
  });
  return { code, ...lines };
}
