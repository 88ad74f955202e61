/**
 * Submits transfers and follows each to its end, as a client would: one POST, then a GET that waits.
 *
 *   k6 run load/submit-and-poll.js
 *
 * BASE_URL     where the API is (http://127.0.0.1:8080)
 * VUS          callers at once, 1 to 200 (16)
 * DURATION_S   seconds, 1 to 600 (30)
 * ACCOUNTS     accounts it opens, 2 to 500 (40)
 * RUN          name of this run, part of its account ids and keys (random)
 * OTHER_HOST   `yes` allows a BASE_URL that is not this machine
 *
 * Passes when every transfer was committed and the accounts together hold what was paid in.
 */
import { check, fail, sleep } from 'k6';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const VUS = wholeNumber('VUS', { fallback: 16, minimum: 1, maximum: 200 });
const DURATION_S = wholeNumber('DURATION_S', { fallback: 30, minimum: 1, maximum: 600 });
const ACCOUNTS = wholeNumber('ACCOUNTS', { fallback: 40, minimum: 2, maximum: 500 });

const THIS_MACHINE = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;
if (!THIS_MACHINE.test(BASE_URL) && __ENV.OTHER_HOST !== 'yes') {
  throw new Error(
    `BASE_URL ${BASE_URL} is not this machine; OTHER_HOST=yes says that it may be hit`,
  );
}

const CURRENCY = 'EUR';
/** So much that no account runs out: a rejection is a fault. */
const OPENING_CENTS = 1_000_000_00;
const AMOUNT_CENTS_MAX = 20_00;
/** One transfer in so many is sent twice. */
const REPLAY_EVERY = 20;
const WAIT = '10s';
const WAITS_MAX = 6;
const SUBMITS_MAX = 10;
const SETTLE_S_MAX = 60;
const ENDED = ['committed', 'rejected', 'cancelled'];

const transferEndMs = new Trend('transfer_end_ms', true);
const transfersCommitted = new Rate('transfers_committed');
const turnedAway = new Counter('submissions_turned_away');

export const options = {
  scenarios: {
    callers: {
      executor: 'constant-vus',
      vus: VUS,
      duration: `${DURATION_S}s`,
      // A transfer under way is followed to its end.
      gracefulStop: `${WAITS_MAX * 10}s`,
    },
  },
  setupTimeout: '120s',
  teardownTimeout: '120s',
  thresholds: {
    checks: ['rate==1'],
    transfers_committed: ['rate==1'],
    // Being turned away with 503 is an answer, not a fault; it is retried and counted beside.
    'http_req_failed{name:follow}': ['rate==0'],
    'http_req_duration{name:submit}': ['p(95)<2000'],
    transfer_end_ms: ['p(95)<5000', 'p(99)<10000'],
  },
};

export function setup() {
  const run = __ENV.RUN || `k6-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e6)}`;
  const accounts = Array.from({ length: ACCOUNTS }, (_, index) => `${run}-${index}`);
  for (const accountId of accounts) {
    must(post('/accounts', { accountId, currency: CURRENCY }, `${run}-open-${accountId}`, 'open'));
    const deposit = { amount: decimal(OPENING_CENTS), direction: 'deposit' };
    must(post(`/accounts/${accountId}/funding`, deposit, `${run}-fund-${accountId}`, 'fund'));
  }
  return { run, accounts };
}

export default function submitAndPoll({ run, accounts }) {
  const [sourceAccount, destinationAccount] = twoOf(accounts);
  const amount = decimal(1 + Math.floor(Math.random() * AMOUNT_CENTS_MAX));
  const body = { sourceAccount, destinationAccount, amount, currency: CURRENCY };
  const key = `${run}-${__VU}-${__ITER}`;

  const startedMs = Date.now();
  const submitted = submit(body, key);
  const isAccepted = check(submitted, {
    'accepted with 202': (response) => response.status === 202,
    'says where to look': (response) => Boolean(response.headers['Location']),
  });
  if (!isAccepted) {
    transfersCommitted.add(false);
    return;
  }
  if (__ITER % REPLAY_EVERY === 0) checkReplay(body, key, submitted);

  const end = follow(submitted.headers['Location']);
  transferEndMs.add(Date.now() - startedMs);
  transfersCommitted.add(end?.status === 'committed');
  check(end, {
    'ended as committed': (transfer) => transfer?.status === 'committed',
    'amount unchanged': (transfer) => transfer?.amount === amount,
    'timeline ends with committed': (transfer) => transfer?.timeline?.at(-1)?.event === 'committed',
  });
}

/** What went in is there, and no account still holds anything. */
export function teardown({ accounts }) {
  const endsAtMs = Date.now() + SETTLE_S_MAX * 1000;
  let balances = accounts.map(readBalance);
  while (balances.some(({ held }) => cents(held) !== 0) && Date.now() < endsAtMs) {
    sleep(0.5);
    balances = accounts.map(readBalance);
  }
  const sum = balances.reduce((total, { balance }) => total + cents(balance), 0);
  check(balances, {
    'nothing is held': (all) => all.every(({ held }) => cents(held) === 0),
    'the accounts together hold what was paid in': () => sum === accounts.length * OPENING_CENTS,
  });
}

/** The same key again and again until it is taken: that is what the key is for. */
function submit(body, key) {
  let response = post('/transfers', body, key, 'submit');
  for (let tries = 1; response.status === 503 && tries < SUBMITS_MAX; tries += 1) {
    turnedAway.add(1);
    sleep(Number(response.headers['Retry-After']) || 1);
    response = post('/transfers', body, key, 'submit');
  }
  return response;
}

function checkReplay(body, key, first) {
  const again = post('/transfers', body, key, 'submit');
  check(again, {
    'a replay says so': (response) => response.headers['Idempotency-Replayed'] === 'true',
    'a replay makes no second transfer': (response) =>
      response.json('transactionId') === first.json('transactionId'),
  });
}

/** The transfer as it ended, or as it was when patience was over. */
function follow(location) {
  const url = location.startsWith('http') ? location : `${BASE_URL}${location}`;
  let transfer;
  for (let waits = 0; waits < WAITS_MAX; waits += 1) {
    const response = http.get(`${url}?wait=${WAIT}`, { tags: { name: 'follow' } });
    transfer = response.status === 200 ? response.json() : transfer;
    if (ENDED.includes(transfer?.status)) break;
    if (response.status !== 200) sleep(1);
  }
  return transfer;
}

function post(path, body, key, name) {
  return http.post(`${BASE_URL}/api/v1${path}`, JSON.stringify(body), {
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    tags: { name },
  });
}

function must(response) {
  if (response.status >= 200 && response.status < 300) return;
  fail(`${response.request.url} answered ${response.status}: ${response.body}`);
}

function readBalance(accountId) {
  const url = `${BASE_URL}/api/v1/accounts/${accountId}/balance`;
  const response = http.get(url, { tags: { name: 'balance' } });
  must(response);
  return response.json();
}

function twoOf(accounts) {
  const first = Math.floor(Math.random() * accounts.length);
  const step = 1 + Math.floor(Math.random() * (accounts.length - 1));
  return [accounts[first], accounts[(first + step) % accounts.length]];
}

/** Whole cents stay exact here: all accounts together are far below 2^53. */
function cents(text) {
  return Number(text.replace('.', ''));
}

function decimal(amountCents) {
  const digits = String(amountCents).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function wholeNumber(name, { fallback, minimum, maximum }) {
  const value = Number(__ENV[name] || fallback);
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new Error(`${name} is not a whole number from ${minimum} to ${maximum}`);
  }
  return value;
}
