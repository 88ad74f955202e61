import { Option } from 'commander';
import type { Command } from 'commander';
import { DIFFERENCES_MAX, runMatch } from './external/run-match.js';
import type { MatchOptions } from './external/run-match.js';
import { FORMATS } from './external/report.js';
import { SLICES, SLICE_ROWS_MAX } from './external/slices.js';
import { explained } from './help.js';
import type { CommandContext } from './host.js';

export function registerExternal(program: Command, { host, exit }: CommandContext): void {
  const external = program
    .command('external')
    .description('what others say about our money: files of banks and processors');
  const match = external
    .command('match')
    .description('compares a CSV file with the movements on an account')
    .argument('<file>', 'the CSV file, with a header line')
    .requiredOption('--rules <file>', 'how to read the file and what to compare it with (JSON)')
    .addOption(new Option('--format <format>', 'of the report').choices(FORMATS).default('table'))
    .option('--out <file>', 'write the report there instead of printing it')
    .action(async (file: string, options: MatchOptions) => {
      exit(await runMatch(host, file, options));
    });
  explained(match, {
    notes: [
      'Compared is what moved money on one account: its ledger entries. A transfer to the account ' +
        'stands there once it is credited, one from it once it is committed. Nothing is changed.',
      'Found are lines that have no movement here, movements that have no line there, amounts and ' +
        'currencies that differ, and lines that come more than once. An amount within the ' +
        'tolerance of its currency agrees.',
      'Days are compared in the time zone of the file. A movement or line up to dateToleranceDays ' +
        'outside of the days from..to is still matched, and not missed where it is not.',
      'A file that is not what the rules say is not compared: every bad line is named by its ' +
        'number, and the exit code is 2. So are all mistakes in the rules.',
      `Memory is bounded: both sides are cut into ${SLICES} slices by their keys, in temporary ` +
        `files of this user, and one slice is matched at a time (${SLICE_ROWS_MAX} rows at most). ` +
        `The report lists up to ${DIFFERENCES_MAX} differences and counts all.`,
      'The rules and all their members are explained in docs/external-match.md.',
    ],
    json: [
      '{ ok, file, account, from, to, linesInFile, linesLeftOut, movementsHere, matched, isCut,',
      '  byKind: { missing_here, missing_there, amount_differs, currency_differs,',
      '            duplicate_in_file },',
      '  differences: [{ kind, key, line, transferId, fileAmount, fileCurrency, fileDay,',
      '                  ourAmount, ourCurrency, ourDay }] }',
    ],
    exitCodes: {
      '0': 'everything matched',
      '1': 'there are differences',
      '2': 'could not run: the file, the rules or a shard; nothing is known',
    },
    examples: [
      ['surety external match bank.csv --rules rules.json', 'what does not agree'],
      [
        'surety external match bank.csv --rules rules.json --format csv --out differences.csv',
        'the same as a file for a spreadsheet',
      ],
    ],
  });
}
