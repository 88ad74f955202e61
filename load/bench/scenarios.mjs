/**
 * What is measured. `callers`: a closed loop, each caller sends when its last answer is there.
 * `share`: an open loop at this share of the maximum that the uniform scenario found, arrivals at
 * random and whether answers come or not. `pairs` says who pays whom.
 */
const ACCOUNTS = 10_000;

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {'uniform' | 'same-shard' | 'cross-shard' | 'hot-destination' | 'hot-source' | 'zipf'} pairs
 * @property {number} accounts
 * @property {number} seconds
 * @property {number} [callers] closed loop
 * @property {number} [share] open loop
 * @property {number} [batch] transfers of one request
 * @property {boolean} [untilEnded] the caller waits for the end, not only for the answer
 * @property {number} [settleSeconds] of the same load before it is measured
 * @property {number} [grown] finished transfers that lie in the tables before it begins
 */

const closed = { pairs: 'uniform', accounts: ACCOUNTS, seconds: 20, callers: 128 };

/** @type {Scenario[]} */
export const SCENARIOS = [
  { ...closed, name: 'uniform' },
  { ...closed, name: 'same-shard', pairs: 'same-shard' },
  { ...closed, name: 'cross-shard', pairs: 'cross-shard' },
  { ...closed, name: 'hot-destination', pairs: 'hot-destination' },
  { ...closed, name: 'hot-source', pairs: 'hot-source' },
  { ...closed, name: 'zipf', pairs: 'zipf' },
  { ...closed, name: 'batch', batch: 500, callers: 4 },
  { ...closed, name: 'idle-latency', callers: 1, untilEnded: true },
  { ...closed, name: 'steady', callers: undefined, share: 0.3, seconds: 30 },
  { ...closed, name: 'overload', callers: undefined, share: 2, seconds: 20 },
  { ...closed, name: 'long', callers: undefined, share: 0.7, seconds: 600, settleSeconds: 120 },
  { ...closed, name: 'grown', grown: 5_000_000 },
];

const TAKES_LONG = ['long', 'grown'];

/** Run where none is named: those that take many minutes are asked for by name. */
export const STANDARD = SCENARIOS.filter(({ name }) => !TAKES_LONG.includes(name));

/** @throws Error naming those that exist */
export function scenariosOf(names) {
  if (names.length === 0) return STANDARD;
  return names.map((name) => {
    const found = SCENARIOS.find((scenario) => scenario.name === name);
    if (found) return found;
    const known = SCENARIOS.map((scenario) => scenario.name).join(', ');
    throw new Error(`there is no scenario ${name}; there are ${known}`);
  });
}
