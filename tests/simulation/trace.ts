import type { SimulationResult } from './simulate.js';

const VIOLATIONS_MAX = 5;
const LINES_MAX = 200;

/** What was broken, and all that happened to the transfers involved, with the faults around it. */
export function report(result: SimulationResult): string {
  const { options, violations, trace } = result;
  const { seed, transfers, bug } = options;
  const planted = bug === undefined ? '' : ` --bug ${bug}`;
  const shown = violations.slice(0, VIOLATIONS_MAX);
  const ids = new Set(shown.flatMap(({ transferIds }) => transferIds));
  const lines = trace.filter(
    (line) => line.transferIds.length === 0 || line.transferIds.some((id) => ids.has(id)),
  );
  return [
    `seed ${seed}: ${violations.length} broken`,
    ...shown.map(({ atMs, message }) => `  ${time(atMs)}  ${message}`),
    `what happened to ${[...ids].join(', ') || 'nobody in particular'}:`,
    ...lines.slice(-LINES_MAX).map(({ atMs, who, text }) => {
      return `  ${time(atMs)}  ${who.padEnd(14)} ${text}`;
    }),
    `again: npm run simulate -- --seed ${seed} --transfers ${transfers}${planted}`,
  ].join('\n');
}

function time(ms: number): string {
  return `${(ms / 1_000).toFixed(3).padStart(9)} s`;
}
