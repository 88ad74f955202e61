/** Who pays whom in a scenario. A generator of its own, so that two runs draw the same pairs. */
import { HOT_ACCOUNT, accountName } from './accounts.mjs';

/** xorshift32: fast and repeatable; good enough for choosing accounts. */
export class Draw {
  #state;

  constructor(seed) {
    this.#state = seed | 1;
  }

  /** A whole number from 0 to below `bound`. */
  below(bound) {
    return Math.floor(this.unit() * bound);
  }

  /** At least 0 and below 1. */
  unit() {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) / 0x1_0000_0000;
  }
}

/**
 * @param {{ pairs: string, accounts: number }} scenario
 * @param {Draw} draw
 * @param {(account: string) => number} shardOf
 * @returns {() => [string, string]} source and destination, never the same
 */
export function pairsOf({ pairs, accounts }, draw, shardOf) {
  const any = () => accountName(draw.below(accounts));
  const other = (source, next = any) => {
    let destination = next();
    while (destination === source) destination = next();
    return destination;
  };
  const on = (isSame) => () => {
    const source = any();
    for (;;) {
      const destination = other(source);
      if ((shardOf(source) === shardOf(destination)) === isSame) return [source, destination];
    }
  };
  const zipf = zipfOf(accounts, draw);
  const kinds = {
    uniform: () => {
      const source = any();
      return [source, other(source)];
    },
    'same-shard': on(true),
    'cross-shard': on(false),
    'hot-destination': () => [any(), HOT_ACCOUNT],
    'hot-source': () => [HOT_ACCOUNT, any()],
    zipf: () => {
      const source = zipf();
      return [source, other(source, zipf)];
    },
  };
  return kinds[pairs];
}

/** Accounts by rank with weight 1/rank (exponent 1.0), by bisection in the summed weights. */
function zipfOf(accounts, draw) {
  const sums = new Float64Array(accounts);
  let sum = 0;
  for (let rank = 1; rank <= accounts; rank += 1) {
    sum += 1 / rank;
    sums[rank - 1] = sum;
  }
  return () => {
    const wanted = draw.unit() * sum;
    let low = 0;
    let high = accounts - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return accountName(low);
  };
}
