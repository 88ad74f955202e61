/** The command line of `npm test`. */

export const STAGE_NAMES = ['unit', 'int', 'mysql', 'e2e'];

export const TEST_HELP = `npm test -- [--only unit|int|mysql|e2e]... [-- arguments for jest]

Runs every test: unit, integration on MariaDB, the same on real MySQL, end to end. Brings up the
servers it needs under .surety/test/ and ends them. SURETY_TEST_MYSQL_URL (of an administrator),
SURETY_TEST_KAFKA_BROKERS and SURETY_TEST_REDIS_URL together name servers to use instead;
SURETY_TEST_MYSQL_ENGINE (mariadb or mysql) says which kind the first one is.
`;

/** Most who meet it mean an option of jest. */
function unknown(argument) {
  return `unknown argument '${argument}': those for jest come behind a -- of their own (npm test -- --help)`;
}

/**
 * @param {string[]} argv
 * @returns {{ help: boolean, stages: string[], jestArguments: string[] }}
 */
export function readTestArguments(argv) {
  const separator = argv.indexOf('--');
  const own = separator < 0 ? argv : argv.slice(0, separator);
  const jestArguments = separator < 0 ? [] : argv.slice(separator + 1);
  const stages = new Set();
  for (let index = 0; index < own.length; index += 1) {
    if (own[index] === '--help') return { help: true, stages: [], jestArguments };
    if (own[index] !== '--only') throw new Error(unknown(own[index]));
    index += 1;
    for (const name of (own[index] ?? '').split(',')) {
      if (!STAGE_NAMES.includes(name)) throw new Error(`--only takes ${STAGE_NAMES.join(', ')}`);
      stages.add(name);
    }
  }
  const chosen = STAGE_NAMES.filter((name) => stages.size === 0 || stages.has(name));
  return { help: false, stages: chosen, jestArguments };
}
