/**
 * A calm rate, then many times as much for a moment, then calm again. What is too much is turned
 * away with 503 and Retry-After; what was accepted ends.
 *
 *   k6 run load/spike.js
 *
 * BASE_URL, RUN, OTHER_HOST as in submit-and-poll.js
 * CALM         transfers a second before and after, 1 to 1000 (50)
 * SPIKE        transfers a second at the top, 1 to 20000 (3000)
 * SPIKE_S      seconds at the top, 1 to 120 (15)
 * CALM_S       seconds before and after, 1 to 120 (10)
 * RECOVERY_S   seconds of silence between spike and calm, 1 to 120 (20)
 * ACCOUNTS     accounts it opens, 2 to 500 (100)
 *
 * Passes when every answer is a 202 or a 503 that says when to come again, every accepted transfer
 * has ended a minute after, and calm is fast again.
 */
import { check } from 'k6';
import {
  CURRENCY,
  openAccounts,
  post,
  refuseOtherSettings,
  settled,
  turnedAway,
  twoOf,
  wholeNumber,
} from './lib/surety.js';

const CALM = wholeNumber('CALM', { fallback: 50, minimum: 1, maximum: 1_000 });
const SPIKE = wholeNumber('SPIKE', { fallback: 3_000, minimum: 1, maximum: 20_000 });
const SPIKE_S = wholeNumber('SPIKE_S', { fallback: 15, minimum: 1, maximum: 120 });
const ACCOUNTS = wholeNumber('ACCOUNTS', { fallback: 100, minimum: 2, maximum: 500 });
const CALM_S = wholeNumber('CALM_S', { fallback: 10, minimum: 1, maximum: 120 });
const RECOVERY_S = wholeNumber('RECOVERY_S', { fallback: 20, minimum: 1, maximum: 120 });
refuseOtherSettings();

const phase = (name, rate, startS, seconds) => ({
  executor: 'constant-arrival-rate',
  rate,
  timeUnit: '1s',
  startTime: `${startS}s`,
  duration: `${seconds}s`,
  preAllocatedVUs: Math.min(1_000, Math.max(20, rate)),
  maxVUs: 1_000,
  tags: { phase: name },
  gracefulStop: '30s',
});

export const options = {
  scenarios: {
    before: phase('before', CALM, 0, CALM_S),
    spike: phase('spike', SPIKE, CALM_S, SPIKE_S),
    after: phase('after', CALM, CALM_S + SPIKE_S + RECOVERY_S, CALM_S),
  },
  setupTimeout: '120s',
  teardownTimeout: '120s',
  thresholds: {
    checks: ['rate==1'],
    // k6 takes what was never measured for kept: every phase has to send something.
    'http_req_duration{phase:before,name:submit}': ['p(95)<1000', 'max>0'],
    'http_req_duration{phase:spike,name:submit}': ['max>0'],
    'http_req_duration{phase:after,name:submit}': ['p(95)<1000', 'max>0'],
  },
};

export function setup() {
  return openAccounts(ACCOUNTS);
}

export default function spike({ run, accounts }) {
  const [sourceAccount, destinationAccount] = twoOf(accounts);
  const body = { sourceAccount, destinationAccount, amount: '0.01', currency: CURRENCY };
  const response = post('/transfers', body, `${run}-${__VU}-${__ITER}`, 'submit');
  if (response.status === 503) turnedAway.add(1);
  check(response, {
    'accepted, or told when to come again': ({ status, headers }) =>
      status === 202 || (status === 503 && Number(headers['Retry-After']) > 0),
  });
}

export function teardown({ accounts }) {
  check(settled(accounts), {
    'nothing is held': ({ isNothingHeld }) => isNothingHeld,
    'the accounts together hold what was paid in': ({ holdsWhatWasPaidIn }) => holdsWhatWasPaidIn,
  });
}
