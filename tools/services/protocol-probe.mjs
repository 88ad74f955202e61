/** Asks a server one question in its own protocol: an open port alone does not mean it is ready. */
import { createConnection } from 'node:net';

const ANSWER_DEADLINE_MS = 2_000;

/**
 * @param {number} port
 * @param {{ question?: Buffer, accept: (answer: Buffer) => boolean | undefined }} exchange
 *   accept: true or false once the answer can be judged, undefined while more bytes are needed
 * @returns {Promise<boolean>}
 */
function ask(port, { question, accept }) {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const socket = createConnection({ port, host: '127.0.0.1' });
    const finish = (outcome) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(ANSWER_DEADLINE_MS, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    if (question) socket.once('connect', () => socket.write(question));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      const verdict = accept(answer);
      if (verdict !== undefined) finish(verdict);
    });
  });
}

/** The greeting packet: three bytes of length, a sequence number, then protocol version 10. */
export function answersMySql(port) {
  return ask(port, {
    accept: (greeting) => (greeting.length < 5 ? undefined : greeting[4] === 10),
  });
}

/** @param {string} [password] where it asks for one */
export function answersRedis(port, password) {
  const commands = [...(password ? [['AUTH', password]] : []), ['PING']];
  const question = Buffer.from(commands.map(redisCommand).join(''));
  const expected = password ? '+OK\r\n+PONG\r\n' : '+PONG\r\n';
  const accept = (answer) =>
    answer.length < expected.length ? undefined : answer.toString() === expected;
  return ask(port, { question, accept });
}

function redisCommand(words) {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

/** ApiVersions, version 0: length, key 18, version, correlation id, no client id. */
export function answersKafka(port) {
  const question = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]);
  const accept = (answer) =>
    answer.length < 10 ? undefined : answer.readInt32BE(4) === 7 && answer.readInt16BE(8) === 0;
  return ask(port, { question, accept });
}
