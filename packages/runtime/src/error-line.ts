import { causesOf } from './failure-kind.js';
import { redactUrls } from './log.js';

/** For people: an error and its causes in one line. Drivers hide what matters in a cause. */
export function errorLine(error: unknown): string {
  const parts: string[] = [];
  for (const cause of causesOf(error)) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    const part = cause.message || code || cause.name;
    if (!parts.some((known) => known.includes(part))) parts.push(part);
  }
  return redactUrls(parts.length > 0 ? parts.join(': ') : String(error));
}
