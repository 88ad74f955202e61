/** The accounts that scenarios draw from. Money in them outlasts every scenario. */
import { HttpConnection, postBytes } from './http-connection.mjs';

const CALLERS = 64;
const ATTEMPTS_MAX = 20;
const RETRY_MS = 200;
/** Ten thousand million cents: more than any scenario moves. */
const DEPOSIT = '10000000.00';
export const HOT_DEPOSIT = '9000000000.00';

export const accountName = (index) => `bench-${String(index).padStart(6, '0')}`;
export const HOT_ACCOUNT = 'bench-hot';

/** Opens the accounts and pays money in. @throws Error with the first answer that is no success */
export async function prepareAccounts({ port, count }) {
  const names = Array.from({ length: count }, (_, index) => accountName(index));
  const open = (name) => {
    const body = JSON.stringify({ accountId: name, currency: 'EUR' });
    return postBytes('/api/v1/accounts', `open-${name}`, body);
  };
  const fund = (name) => {
    const amount = name === HOT_ACCOUNT ? HOT_DEPOSIT : DEPOSIT;
    const body = JSON.stringify({ amount, direction: 'deposit', currency: 'EUR' });
    return postBytes(`/api/v1/accounts/${name}/funding`, `fund-${name}`, body);
  };
  await sendAll(port, [HOT_ACCOUNT, ...names].map(open));
  await sendAll(port, [HOT_ACCOUNT, ...names].map(fund));
}

async function sendAll(port, requests) {
  let next = 0;
  const caller = async () => {
    const connection = new HttpConnection(port);
    while (next < requests.length) {
      const bytes = requests[next];
      next += 1;
      await sendUntilTaken(connection, bytes);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function sendUntilTaken(connection, bytes) {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await new Promise((resolve) => connection.send(bytes, resolve));
    if (answer.status >= 200 && answer.status < 300) return;
    const isTemporary = answer.status === 503 || answer.status === 0;
    if (!isTemporary || attempt >= ATTEMPTS_MAX) {
      throw new Error(`an account was answered with ${answer.status} ${answer.body}`);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
