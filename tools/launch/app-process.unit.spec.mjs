import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findFreePort } from '../services/ports.mjs';
import { AppProcess } from './app-process.mjs';

const DEADLINE_MS = 30_000;
/** Each start takes the next letter of its plan: r, be ready until `go` is there, then end; x, end. */
const ENTRY = `
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const [folder, port, exitCode] = process.env.SCENE.split('|');
const [now, ...later] = readFileSync(folder + '/plan', 'utf8');
writeFileSync(folder + '/plan', later.join(''));
if (now !== 'r') {
  console.log('wrong: HOLD_TIMEOUT');
  process.exit(Number(exitCode));
}
createServer((_, response) => response.end()).listen(Number(port), '127.0.0.1');
if (later.length > 0) setInterval(() => existsSync(folder + '/go') && process.exit(Number(exitCode)), 10);
`;

describe('a process that ends with "the environment is wrong"', () => {
  let folder;
  let app;
  const lines = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'surety-app-'));
    writeFileSync(join(folder, 'entry.mjs'), ENTRY);
    lines.length = 0;
  });
  afterEach(async () => {
    await app?.stop();
    rmSync(folder, { recursive: true });
  });

  async function started(plan) {
    writeFileSync(join(folder, 'plan'), plan);
    const port = await findFreePort();
    const spec = {
      ...{ name: 'relay', root: folder, entry: join(folder, 'entry.mjs') },
      env: { ...process.env, SCENE: [folder, port, 78].join('|') },
      ...{ url: `http://127.0.0.1:${port}`, logFile: join(folder, 'relay.log') },
    };
    app = new AppProcess(spec, { log: (line) => lines.push(line), onChange: () => undefined });
    app.start();
  }

  async function untilSaid(count) {
    const until = Date.now() + DEADLINE_MS / 2;
    while (lines.length < count) {
      if (Date.now() > until) throw new Error(`only said: ${lines.join('; ')}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  it(
    'is not started again when it was never ready, and whoever waits is told what it wrote alone',
    async () => {
      const logFile = join(folder, 'relay.log');
      writeFileSync(logFile, 'what a start before has written\n');
      await started('xr');
      await expect(app.untilReady(DEADLINE_MS)).rejects.toThrow(
        `relay refuses its settings\nlast lines of ${logFile}:\nwrong: HOLD_TIMEOUT`,
      );
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await app.isReady()).toBe(false);
      expect(lines).toEqual([]);
    },
    DEADLINE_MS,
  );

  it(
    'is started again when it was ready before, and told of once it is ready again',
    async () => {
      await started('rxr');
      await app.untilReady(DEADLINE_MS);
      writeFileSync(join(folder, 'go'), '');
      await untilSaid(3);
      expect(await app.isReady()).toBe(true);
      expect(lines).toEqual([
        expect.stringMatching(/^relay refuses its settings \(code 78\): see .*relay\.log/),
        expect.stringContaining('starting it again in 0.4 s'),
        `relay is ready again (pid ${app.pid})`,
      ]);
    },
    DEADLINE_MS,
  );
});
