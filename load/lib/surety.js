/** What all scripts share: where the API is, accounts, requests, and the sums at the end. */
import { fail, sleep } from 'k6';
import http from 'k6/http';
import { Counter } from 'k6/metrics';

/** Paths are put behind it: with a slash at its end none would be found. */
export const BASE_URL = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '');
export const CURRENCY = 'EUR';
export const ENDED = ['committed', 'rejected', 'cancelled'];
export const turnedAway = new Counter('submissions_turned_away');

const THIS_MACHINE = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;
if (!THIS_MACHINE.test(BASE_URL) && __ENV.OTHER_HOST !== 'yes') {
  throw new Error(
    `BASE_URL ${BASE_URL} is not this machine; OTHER_HOST=yes says that it may be hit`,
  );
}

/** So much that no account runs out: a rejection is a fault. */
const OPENING_CENTS = 1_000_000_00;
const SUBMITS_MAX = 10;
const SETTLE_S_MAX = 60;
const WAIT = '10s';
export const WAITS_MAX = 6;

/** Opens accounts of this run's own and pays money in. */
export function openAccounts(count) {
  const run = __ENV.RUN || `k6-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e6)}`;
  const accounts = Array.from({ length: count }, (_, index) => `${run}-${index}`);
  for (const accountId of accounts) {
    must(post('/accounts', { accountId, currency: CURRENCY }, `${run}-open-${accountId}`, 'open'));
    const deposit = { amount: decimal(OPENING_CENTS), direction: 'deposit' };
    must(post(`/accounts/${accountId}/funding`, deposit, `${run}-fund-${accountId}`, 'fund'));
  }
  return { run, accounts };
}

/** The same key again and again until it is taken: that is what the key is for. */
export function submit(body, key) {
  let response = post('/transfers', body, key, 'submit');
  for (let tries = 1; response.status === 503 && tries < SUBMITS_MAX; tries += 1) {
    turnedAway.add(1);
    sleep(Number(response.headers['Retry-After']) || 1);
    response = post('/transfers', body, key, 'submit');
  }
  return response;
}

/** The transfer as it ended, or as it was when patience was over. */
export function follow(location) {
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

export function post(path, body, key, name) {
  return http.post(`${BASE_URL}/api/v1${path}`, JSON.stringify(body), {
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    tags: { name },
  });
}

export function must(response) {
  if (response.status >= 200 && response.status < 300) return;
  fail(`${response.request.url} answered ${response.status}: ${response.body}`);
}

/** Waits until nothing is held any more and everything is there, and says what is there then. */
export function settled(accounts) {
  const endsAtMs = Date.now() + SETTLE_S_MAX * 1000;
  for (;;) {
    const balances = accounts.map(readBalance);
    const sumCents = balances.reduce((total, { balance }) => total + cents(balance), 0);
    const isNothingHeld = balances.every(({ held }) => cents(held) === 0);
    const holdsWhatWasPaidIn = sumCents === accounts.length * OPENING_CENTS;
    // Balances are projected shard by shard: a payer's may be there before its payee's is.
    const isSettled = isNothingHeld && holdsWhatWasPaidIn;
    if (isSettled || Date.now() >= endsAtMs) return { balances, isNothingHeld, holdsWhatWasPaidIn };
    sleep(0.5);
  }
}

function readBalance(accountId) {
  const url = `${BASE_URL}/api/v1/accounts/${accountId}/balance`;
  const response = http.get(url, { tags: { name: 'balance' } });
  must(response);
  return response.json();
}

export function twoOf(accounts) {
  const first = Math.floor(Math.random() * accounts.length);
  const step = 1 + Math.floor(Math.random() * (accounts.length - 1));
  return [accounts[first], accounts[(first + step) % accounts.length]];
}

/** Whole cents stay exact here: all accounts together are far below 2^53. */
export function cents(text) {
  return Number(text.replace('.', ''));
}

export function decimal(amountCents) {
  const digits = String(amountCents).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * Of any of the scripts, beside what all of them take. k6 hands over the whole environment: of other
 * names nobody can say whom they are for.
 */
const SETTINGS = 'VUS DURATION_S ACCOUNTS SIDE REPEATS RATE CALM SPIKE SPIKE_S CALM_S RECOVERY_S';
const taken = [];

export function wholeNumber(name, { fallback, minimum, maximum }) {
  taken.push(name);
  const text = __ENV[name] || String(fallback);
  const value = /^[1-9]\d*$/.test(text) ? Number(text) : NaN;
  if (!(value >= minimum && value <= maximum)) {
    throw new Error(`${name} is not a whole number from ${minimum} to ${maximum}`);
  }
  return value;
}

/** The first is what counts where nothing is said. */
export function oneOf(name, allowed) {
  taken.push(name);
  const text = __ENV[name] || allowed[0];
  if (!allowed.includes(text)) throw new Error(`${name} is ${allowed.join(' or ')}, not ${text}`);
  return text;
}

/**
 * Comes after a script has read its own. One that only others take is meant for them or a mistake:
 * passed over, a `VUS=0 k6 run load/soak.js` would begin ten minutes of load.
 */
export function refuseOtherSettings() {
  const other = SETTINGS.split(' ').find((name) => __ENV[name] && !taken.includes(name));
  if (other === undefined) return;
  throw new Error(`${other} is no setting of this script, which takes ${taken.join(', ')}`);
}
