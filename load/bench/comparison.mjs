/** An earlier result file, and this run beside it. */
import { readFileSync } from 'node:fs';

/**
 * @param {string} file
 * @param {{ name: string }[]} planned scenarios to be run
 * @throws Error in one line, where it is no result that ratios can be made of, or has none of these
 */
export function readEarlierResult(file, planned) {
  const result = parse(file, read(file));
  const scenarios = result?.scenarios;
  if (!Array.isArray(scenarios) || scenarios.length === 0 || !scenarios.every(isComparable)) {
    throw new Error(`--compare ${file}: it is no result of npm run bench (no scenarios in it)`);
  }
  const names = scenarios.map(({ name }) => name);
  if (planned.some(({ name }) => names.includes(name))) return result;
  throw new Error(`--compare ${file}: nothing to compare: it has ${names.join(', ')} alone`);
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new Error(`--compare ${file}: ${why}`, { cause: error });
  }
}

function parse(file, text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`--compare ${file}: it is not JSON`, { cause: error });
  }
}

function isComparable(row) {
  const numbers = [row?.committedPerSecond, row?.cpuMsPerTransfer, row?.committedMs?.p50];
  return typeof row?.name === 'string' && numbers.every(Number.isFinite);
}

/** Ratios of this run to an earlier one, for the scenarios that both have. */
export function comparisonOf(rows, earlier) {
  return rows.flatMap((row) => {
    const other = earlier.scenarios.find(({ name }) => name === row.name);
    if (!other) return [];
    const ratio = (key) => (row[key] / other[key]).toFixed(2);
    const p50 = (row.committedMs.p50 / other.committedMs.p50).toFixed(2);
    return [
      `${row.name}: committed/s x${ratio('committedPerSecond')}, ` +
        `cpu x${ratio('cpuMsPerTransfer')}, committed p50 x${p50}${loopRatio(row, other)}`,
    ];
  });
}

/** How much slower the machine itself was: the part of a ratio that is nobody's doing. */
function loopRatio({ referenceLoopMs: now }, { referenceLoopMs: then }) {
  if (!now || !then) return '';
  return `, reference loop x${((now.before + now.after) / (then.before + then.after)).toFixed(2)}`;
}

/**
 * What else was another then, but for the commit, which is what one compares: a ratio tells of it, too.
 * @param {{ machine: object, settings: object }} result this run's
 */
export function otherCircumstancesOf(result, earlier) {
  return ['machine', 'settings'].flatMap((part) => {
    const [now, then] = [result[part], earlier[part] ?? {}];
    return Object.keys({ ...then, ...now })
      .filter((name) => name !== 'commit' && textOf(now[name]) !== textOf(then[name]))
      .map(
        (name) => `${part}.${name} differs: ${textOf(then[name])} then, ${textOf(now[name])} now`,
      );
  });
}

function textOf(value) {
  return JSON.stringify(value) ?? 'not known';
}
