/**
 * What docs/api.md says, held against what the code knows. The page marks what is compared:
 * - `### POST /api/v1/…` heads an operation, and tables whose first head is `operation` list them,
 *   with a further name of one in a row that ends with the name that has the section;
 * - `<!-- body: NAME -->` stands before the table of a body's fields, and an example (`-d '…'`)
 *   between it and the next mark is one of that body;
 * - `<!-- answer: NAME -->` stands before an example of that answer;
 * - tables whose first head is `reason` or `status` list reasons, and problem codes by status.
 */

const OPERATION = /^(?:GET|POST) \/api\/v1\/\S+$/;

/**
 * @typedef {object} Api
 * @property {string[]} operations such as `GET /api/v1/transfers/{id}`
 * @property {Record<string, import('zod').ZodObject>} bodies
 * @property {Record<string, import('zod').ZodType>} answers
 * @property {string[]} reasons
 * @property {Record<string, { status: number }>} problems
 */

/** The code's side, out of the built packages. @returns {Api} */
export function apiOf({ contracts, domain, ingress }) {
  const named = (isWanted) =>
    Object.fromEntries(Object.entries(contracts).filter(([name]) => isWanted(name)));
  const isAnswer = (name) => /[a-z]Answer(?:Body)?$/.test(name);
  return {
    // Handlers only keep what they are given: nothing is asked of it before a request comes.
    operations: ingress.apiRoutes({}).flatMap(({ path, methods }) => {
      const shown = path.replace(/:(\w+)/g, '{$1}');
      return Object.keys(methods).map((method) => `${method} ${shown}`);
    }),
    bodies: named((name) => /[a-z]Body$/.test(name) && !isAnswer(name)),
    answers: named(isAnswer),
    reasons: Object.keys(domain.REASONS),
    problems: contracts.PROBLEMS,
  };
}

/** @param {string} page @param {Api} api @returns {string[]} */
export function apiPageFindings(page, api) {
  return [
    ...operationFindings(page, api.operations),
    ...markFindings(page, api),
    ...Object.entries(api.bodies).flatMap(([name, body]) => bodyFindings(page, name, body)),
    ...Object.entries(api.answers).flatMap(([name, answer]) => answerFindings(page, name, answer)),
    ...differences('reason', codesUnder(page, 'reason'), api.reasons),
    ...problemFindings(page, api.problems),
  ];
}

/** What only one of two lists has. */
function differences(what, shown, known) {
  return [
    ...known.filter((name) => !shown.includes(name)).map((name) => `${what} ${name} is missing`),
    ...shown.filter((name) => !known.includes(name)).map((name) => `${what} ${name} is unknown`),
  ];
}

/** The tables of a text: rows of cells, the head first. */
function tablesIn(text) {
  return Array.from(text.matchAll(/(?:^\|.*\|$\n?)+/gm), ([table]) =>
    table
      .trim()
      .split('\n')
      .filter((line) => !/^[|\s:-]+$/.test(line))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      ),
  );
}

function codesIn(cell) {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, code]) => code);
}

/** The rows of every table whose first head is this one. */
function rowsUnder(page, head) {
  return tablesIn(page)
    .filter(([[first]]) => first === head)
    .flatMap(([, ...rows]) => rows);
}

function codesUnder(page, head) {
  return rowsUnder(page, head).flatMap(([first]) => codesIn(first));
}

/** Each operation has a section, or is said to be the same as one that has; each section is listed. */
function operationFindings(page, operations) {
  const headings = Array.from(page.matchAll(/^#+ (.+)$/gm), ([, heading]) => heading);
  const sections = headings.filter((text) => OPERATION.test(text));
  const rows = rowsUnder(page, 'operation').map((cells) => cells.map((cell) => codesIn(cell)[0]));
  const listed = rows.map(([name]) => name);
  const aliases = rows.filter(([, other]) => sections.includes(other)).map(([name]) => name);
  const described = new Set([...sections, ...aliases]);
  return [
    ...operations
      .filter((name) => !described.has(name))
      .map((name) => `operation ${name} is not described`),
    ...[...new Set([...sections, ...listed])]
      .filter((name) => !operations.includes(name))
      .map((name) => `operation ${name} is unknown`),
    ...sections
      .filter((name) => !listed.includes(name))
      .map((name) => `operation ${name} is in no list of operations`),
  ];
}

/** From this mark up to the next one, or undefined where it is not there. */
function markedPart(page, mark) {
  return page.split(`<!-- ${mark} -->`)[1]?.split('<!--')[0];
}

function markFindings(page, { bodies, answers }) {
  const known = [
    ...Object.keys(bodies).map((name) => `body: ${name}`),
    ...Object.keys(answers).map((name) => `answer: ${name}`),
  ];
  return differences(
    'mark',
    Array.from(page.matchAll(/<!-- (.+?) -->/g), ([, mark]) => mark),
    known,
  );
}

function bodyFindings(page, name, body) {
  const part = markedPart(page, `body: ${name}`);
  if (part === undefined) return [];
  const rows = new Map(
    rowsUnder(part, 'field').map(([field, ...cells]) => [codesIn(field)[0], cells]),
  );
  const fields = Object.entries(body.shape);
  const [, text] = /-d '([^']+)'/.exec(part) ?? [];
  return [
    ...differences(`${name}: field`, [...rows.keys()], Object.keys(body.shape)),
    ...fields.flatMap(([field, schema]) =>
      fieldFindings(`${name}: ${field}`, schema, rows.get(field)),
    ),
    ...(text === undefined ? [] : exampleFindings(name, body, text)),
  ];
}

function fieldFindings(name, schema, cells) {
  if (!cells) return [];
  const [required, meaning] = cells;
  const expected = schema.safeParse(undefined).success ? 'no' : 'yes';
  const inner = schema.unwrap?.() ?? schema;
  return [
    ...(required === expected ? [] : [`${name}: required is ${required}, not ${expected}`]),
    ...(inner.options ?? [])
      .filter((value) => !codesIn(meaning).includes(value))
      .map((value) => `${name}: the value ${value} is missing`),
  ];
}

function answerFindings(page, name, answer) {
  const part = markedPart(page, `answer: ${name}`);
  if (part === undefined) return [];
  const [, text] = /```json\n([\s\S]*?)```/.exec(part) ?? [];
  return text === undefined ? [`${name} has no example`] : exampleFindings(name, answer, text);
}

function exampleFindings(name, schema, text) {
  let example;
  try {
    example = JSON.parse(text);
  } catch {
    return [`${name}: the example is not JSON`];
  }
  const { error } = schema.safeParse(example);
  return (error?.issues ?? []).map(
    ({ path, message }) => `${name}: the example is wrong at /${path.join('/')}: ${message}`,
  );
}

function problemFindings(page, problems) {
  const shown = rowsUnder(page, 'status')
    .filter(([status]) => Number(status) >= 400)
    .flatMap(([status, codes]) => codesIn(codes).map((code) => `${status} ${code}`));
  const known = Object.entries(problems).map(([code, { status }]) => `${status} ${code}`);
  return differences('problem', [...new Set(shown)], known);
}
