import { createInterface } from 'node:readline';
import { CliError } from './output.js';
import type { Terminal } from './host.js';

const CLEAR_LINE = '\r\u001b[2K';

/**
 * The terminal of this process, or undefined without one. Questions and progress go to the error
 * output: the output itself may be on its way into a file.
 */
export function processTerminal(
  input: NodeJS.ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): Terminal | undefined {
  if (!input.isTTY || !output.isTTY) return undefined;
  return {
    ask: (question) => ask(question, input, output),
    showLine: (text) => {
      output.write(`${CLEAR_LINE}${text.slice(0, (output.columns || 80) - 1)}`);
    },
  };
}

function ask(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  const lines = createInterface({ input, output });
  return new Promise((resolve, reject) => {
    let answer: string | undefined;
    lines.on('close', () => {
      if (answer !== undefined) resolve(answer);
      else reject(new CliError('no answer: nothing was changed'));
    });
    lines.question(question, (text) => {
      answer = text;
      lines.close();
    });
  });
}
