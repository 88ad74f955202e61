import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SuretySystem } from '@surety/testing/system';

const hasK6 = spawnSync('k6', ['version']).status === 0;
if (!hasK6) process.stderr.write('k6 is not installed: the load scripts are not run\n');

/** Short and gentle: whether a script works is asked here, not how fast the system is. */
const RUNS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['submit-and-poll', { VUS: '4', DURATION_S: '3', ACCOUNTS: '6' }],
  ['hot-account', { VUS: '4', DURATION_S: '3', ACCOUNTS: '4' }],
  ['idempotent-retries', { VUS: '3', DURATION_S: '3' }],
  ['spike', { CALM: '5', CALM_S: '1', SPIKE: '50', SPIKE_S: '2', RECOVERY_S: '1', ACCOUNTS: '4' }],
  ['soak', { RATE: '10', DURATION_S: '10', ACCOUNTS: '4' }],
];

(hasK6 ? describe : describe.skip)('the load scripts', () => {
  let system: SuretySystem;

  beforeAll(async () => {
    system = await SuretySystem.start();
  });

  afterAll(async () => {
    await system.stop();
  });

  test.each(RUNS)('%s runs to its end and every check holds', async (name, settings) => {
    const result = await runK6(name, { ...settings, BASE_URL: system.httpUrl }, system.directory);
    expect(result).toMatchObject({ code: 0, failedChecks: 0 });
    expect(result.passedChecks).toBeGreaterThan(0);
  });
});

interface K6Result {
  readonly code: number | null;
  readonly output: string;
  readonly passedChecks: number | undefined;
  readonly failedChecks: number | undefined;
}

/** Without thresholds: those on time say something about the machine, checks about the system. */
async function runK6(
  name: string,
  settings: Readonly<Record<string, string>>,
  directory: string,
): Promise<K6Result> {
  const summary = join(directory, `k6-${name}.json`);
  const args = ['run', '--quiet', '--no-color', '--no-thresholds', '--summary-export', summary];
  const child = spawn('k6', [...args, `load/${name}.js`], {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, output, ...checksOf(summary) };
}

function checksOf(file: string): Pick<K6Result, 'passedChecks' | 'failedChecks'> {
  if (!existsSync(file)) return { passedChecks: undefined, failedChecks: undefined };
  const summary = JSON.parse(readFileSync(file, 'utf8')) as {
    metrics: { checks?: { passes: number; fails: number } };
  };
  const { checks } = summary.metrics;
  return { passedChecks: checks?.passes, failedChecks: checks?.fails };
}
