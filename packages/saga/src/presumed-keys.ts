import type { LoadRequest } from './ports.js';

/**
 * What every attempt but the first reads: a presumption that failed must not fail again, and after a
 * commit without an acknowledgement the row may be the caller's own.
 */
export function readingAllKeys(load: LoadRequest): LoadRequest {
  const { keysPresumedAbsent = [], ...rest } = load;
  if (keysPresumedAbsent.length === 0) return load;
  return { ...rest, keys: [...(load.keys ?? []), ...keysPresumedAbsent] };
}
