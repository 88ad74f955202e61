import { InvalidArgumentError, Option } from 'commander';
import { DURATION_MAX_TEXT, parseDuration } from '@surety/runtime';

const LIMIT_MAX = 10_000;

export function jsonOption(): Option {
  return new Option('--json', 'one JSON document for machines instead of tables').default(false);
}

export function limitOption(what: string, fallback: number): Option {
  return new Option('--limit <n>', `at most so many ${what}`)
    .argParser(wholeNumber(1, LIMIT_MAX))
    .default(fallback);
}

/** Reads an option as a whole number within bounds. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It is a whole number from ${minimum} to ${maximum}.`);
  };
}

/** Reads an option as a duration (`500ms`, `30s`, `5m`, `1h`) of so much at least, in milliseconds. */
export function durationFrom(minimumMs: number): (text: string) => number {
  return (text) => {
    const durationMs = parseDuration(text);
    if (durationMs === undefined) {
      const examples = 'a duration such as 500ms, 30s, 5m or 1h';
      throw new InvalidArgumentError(`It is ${examples}, ${DURATION_MAX_TEXT}.`);
    }
    if (durationMs < minimumMs) throw new InvalidArgumentError(`It is ${minimumMs}ms or more.`);
    return durationMs;
  };
}
