import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface K6Run {
  /** Of `load/`, without its ending. */
  readonly script: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Where the summary goes. */
  readonly directory: string;
  readonly judgesThresholds: boolean;
}

export interface K6Result {
  readonly code: number | null;
  readonly output: string;
  readonly passedChecks: number | undefined;
  readonly failedChecks: number | undefined;
  /** Metrics of which a threshold was crossed. */
  readonly crossed: readonly string[];
}

interface Summary {
  readonly metrics: Readonly<Record<string, SummarisedMetric>>;
}

interface SummarisedMetric {
  readonly passes?: number;
  readonly fails?: number;
  /** By expression, whether it was crossed. */
  readonly thresholds?: Readonly<Record<string, boolean>>;
}

export function hasK6(): boolean {
  const isThere = spawnSync('k6', ['version']).status === 0;
  if (!isThere) process.stderr.write('k6 is not installed: the load scripts are not run\n');
  return isThere;
}

export async function runK6(run: K6Run): Promise<K6Result> {
  const { script, settings, directory, judgesThresholds } = run;
  const summary = join(directory, `k6-${script}.json`);
  const options = judgesThresholds ? [] : ['--no-thresholds'];
  const args = ['run', '--quiet', '--no-color', ...options, '--summary-export', summary];
  const child = spawn('k6', [...args, `load/${script}.js`], {
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
  return { code, output, ...toldBy(summary) };
}

function toldBy(file: string): Pick<K6Result, 'passedChecks' | 'failedChecks' | 'crossed'> {
  const isThere = existsSync(file);
  const { metrics }: Summary = isThere
    ? (JSON.parse(readFileSync(file, 'utf8')) as Summary)
    : { metrics: {} };
  const crossed = Object.keys(metrics).filter((name) =>
    Object.values(metrics[name]?.thresholds ?? {}).includes(true),
  );
  const { checks } = metrics;
  return { passedChecks: checks?.passes, failedChecks: checks?.fails, crossed: crossed.sort() };
}
