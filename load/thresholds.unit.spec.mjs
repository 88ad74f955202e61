import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';

/** How k6 makes one number of a metric and judges it. */
const EXPRESSION = /^(p\(\d+\)|max|rate|count)(==|<|>)(\d+)$/;
const JUDGES = {
  '==': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '>': (value, bound) => value > bound,
};
/** A bound that a value is just within, and the value that crosses it. */
const SIDES = {
  '==': (bound) => [bound, Math.abs(bound - 0.001)],
  '<': (bound) => [bound - 0.001, bound],
  '>': (bound) => [bound + 0.001, bound],
};

const scripts = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.js'))
  .map((name) => name.replace('.js', ''));

afterEach(() => {
  delete globalThis.__ENV;
});

/** What a script would have k6 judge: nothing of k6 is there, and nothing runs. */
async function thresholdsOf(script, settings = {}) {
  const Metric = class {};
  const modules = {
    k6: {},
    'k6/execution': {},
    'k6/http': {},
    'k6/metrics': { Counter: Metric, Rate: Metric, Trend: Metric },
  };
  globalThis.__ENV = settings;
  let thresholds;
  await jest.isolateModulesAsync(async () => {
    for (const [name, exported] of Object.entries(modules)) {
      jest.doMock(name, () => exported, { virtual: true });
    }
    thresholds = (await import(`./${script}.js`)).options.thresholds;
  });
  return Object.entries(thresholds).flatMap(([metric, expressions]) =>
    expressions.map((expression) => ({ metric, expression })),
  );
}

function parsed(expression) {
  const [, aggregate, operator, bound] = EXPRESSION.exec(expression) ?? [];
  return { aggregate, operator, bound: Number(bound) };
}

/** @param value of all samples; without any k6 takes a rate for kept, and everything else for 0 */
function holds(expression, value) {
  const { aggregate, operator, bound } = parsed(expression);
  if (value === undefined && aggregate === 'rate') return true;
  return JUDGES[operator](value ?? 0, bound);
}

async function crossedByNothing(script, settings) {
  const thresholds = await thresholdsOf(script, settings);
  const crossed = thresholds.filter(({ expression }) => !holds(expression, undefined));
  return [...new Set(crossed.map(({ metric }) => metric))];
}

describe('thresholds of a load script', () => {
  it.each([
    ['hot-account', {}, ['transfer_end_ms']],
    ['idempotent-retries', {}, ['http_req_duration{name:follow}']],
    ['soak', {}, ['transfer_end_ms', 'transfer_end_ms_last_tenth']],
    // Two transfers of a hundred are followed: in a second of fifty there may be none.
    ['soak', { RATE: '50', DURATION_S: '10' }, ['transfer_end_ms']],
    ['soak', { RATE: '100', DURATION_S: '10' }, ['transfer_end_ms', 'transfer_end_ms_last_tenth']],
    [
      'spike',
      {},
      ['before', 'spike', 'after'].map((phase) => `http_req_duration{phase:${phase},name:submit}`),
    ],
    ['submit-and-poll', {}, ['transfer_end_ms']],
  ])('%s with %j are crossed where nothing was measured: %j', async (script, settings, wanted) => {
    expect(await crossedByNothing(script, settings)).toEqual(wanted);
  });

  it('are looked at here for every script', async () => {
    for (const script of scripts) expect(await crossedByNothing(script)).not.toEqual([]);
  });

  it.each(scripts)('%s are crossed at their bounds, and kept within them', async (script) => {
    for (const { metric, expression } of await thresholdsOf(script)) {
      const { operator, bound } = parsed(expression);
      expect([metric, expression, operator]).not.toContain(undefined);
      const [within, beyond] = SIDES[operator](bound);
      const judged = [within, beyond].map((value) => holds(expression, value));
      expect([metric, expression, ...judged]).toEqual([metric, expression, true, false]);
    }
  });

  it.each(scripts)('%s let no check fail', async (script) => {
    const everyCheck = { metric: 'checks', expression: 'rate==1' };
    expect(await thresholdsOf(script)).toContainEqual(everyCheck);
  });
});

describe('the settings of a load script', () => {
  /** As its head lists them, but for those that all have. */
  const taken = {
    'hot-account': ['VUS', 'DURATION_S', 'ACCOUNTS', 'SIDE'],
    'idempotent-retries': ['VUS', 'DURATION_S', 'REPEATS'],
    soak: ['RATE', 'DURATION_S', 'ACCOUNTS'],
    spike: ['CALM', 'SPIKE', 'SPIKE_S', 'ACCOUNTS', 'CALM_S', 'RECOVERY_S'],
    'submit-and-poll': ['VUS', 'DURATION_S', 'ACCOUNTS'],
  };
  const all = [...new Set(Object.values(taken).flat())];

  it.each(scripts)(
    '%s: its own are in its head, and taken with everything else',
    async (script) => {
      const head = readFileSync(join(import.meta.dirname, `${script}.js`), 'utf8').split('*/')[0];
      const listed = [...head.matchAll(/^ \* ([A-Z][A-Z_]*) {2,}/gm)].map(([, name]) => name);
      const common = ['BASE_URL', 'RUN', 'OTHER_HOST'];
      expect(listed.filter((name) => !common.includes(name)).sort()).toEqual(
        taken[script].toSorted(),
      );
      const values = { SIDE: 'source', DURATION_S: '10' };
      const settings = Object.fromEntries(taken[script].map((name) => [name, values[name] ?? '4']));
      const everything = { ...settings, RUN: 'r', PATH: '/bin', HOME: '/', ANYTHING: '0' };
      expect(await thresholdsOf(script, everything)).not.toEqual([]);
    },
  );

  it.each(scripts)('%s: those of its siblings are refused, not passed over', async (script) => {
    for (const name of all.filter((one) => !taken[script].includes(one))) {
      await expect(thresholdsOf(script, { [name]: '4' })).rejects.toThrow(
        `${name} is no setting of this script, which takes ${taken[script].join(', ')}`,
      );
      expect(await thresholdsOf(script, { [name]: '' })).not.toEqual([]);
    }
  });

  it.each(['0', '-1', '1.5', '1e1', '0x10', ' 4', '04', 'four', 'Infinity'])(
    'that is no number of its range is refused: %j',
    async (value) => {
      for (const script of scripts) {
        for (const name of taken[script].filter((one) => one !== 'SIDE')) {
          await expect(thresholdsOf(script, { [name]: value })).rejects.toThrow(
            `${name} is not a whole number from `,
          );
        }
      }
    },
  );

  it('SIDE is one of two', async () => {
    await expect(thresholdsOf('hot-account', { SIDE: 'both' })).rejects.toThrow(
      'SIDE is destination or source, not both',
    );
  });
});
