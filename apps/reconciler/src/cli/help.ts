import type { Command } from 'commander';

const WIDTH = 88;
const INDENT = '  ';

export interface CommandHelp {
  /** Paragraphs; each is wrapped. */
  readonly notes?: readonly string[];
  /** The shape of the document that `--json` prints, line by line. */
  readonly json?: readonly string[];
  /** What the codes mean here, where it differs from the rest. */
  readonly exitCodes?: Readonly<Record<'0' | '1' | '2', string>>;
  /** Command lines, each with what it is for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
}

const EXIT_CODES: NonNullable<CommandHelp['exitCodes']> = {
  '0': 'done, nothing is wrong',
  '1': 'something was found, was refused, or does not exist',
  '2': 'the command could not run, or was called wrongly',
};

/** Ends the help of a command the way every command's help ends. */
export function explained(command: Command, help: CommandHelp): Command {
  return command.addHelpText('after', `\n${helpText(help)}`);
}

/** The sections below a command's options. */
export function helpText({ notes = [], json, exitCodes, examples }: CommandHelp): string {
  const sections = [
    ...(notes.length > 0 ? [section('Notes', notes.flatMap(paragraph).slice(1))] : []),
    ...(json ? [section('JSON (--json)', json)] : []),
    section(
      'Exit codes',
      Object.entries(exitCodes ?? EXIT_CODES).map(([code, meaning]) => `${code}  ${meaning}`),
    ),
    section(
      'Examples',
      examples.flatMap(([line, purpose]) => [line, `    ${purpose}`]),
    ),
  ];
  return sections.join('\n\n');
}

function section(heading: string, lines: readonly string[]): string {
  const indented = lines.map((line) => (line === '' ? '' : `${INDENT}${line}`));
  return [`${heading}:`, ...indented].join('\n');
}

/** An empty line, then the text in lines that fit a terminal. */
function paragraph(text: string): string[] {
  const lines: string[] = [''];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
