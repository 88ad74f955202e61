import { expect, test } from '@jest/globals';
import { createMetrics, databaseCounters } from './metrics.js';

test('every metric of ours has help, the prefix and a unit, and carries its process', async () => {
  const metrics = createMetrics('relay');
  metrics.stepsTotal.inc({ step: 'hold', outcome: 'held', shard: '0' });
  metrics.batchItems.observe({ unit: 'worker' }, 12);
  metrics.outboxAgeSeconds.set({ shard: '1' }, 0.25);
  const text = await metrics.registry.metrics();
  expect(text).toContain(
    'surety_steps_total{step="hold",outcome="held",shard="0",process="relay"} 1',
  );
  expect(text).toContain('surety_batch_items_bucket{le="20",process="relay",unit="worker"} 1');
  expect(text).toContain('surety_outbox_age_seconds{shard="1",process="relay"} 0.25');
  expect(text).toContain('process_cpu_user_seconds_total');
  const ours = (await metrics.registry.getMetricsAsJSON()).filter(
    ({ name }) => !/^(process|nodejs)_/.test(name),
  );
  const units = /_(total|seconds|items|rows|messages|minor|open|on)$/;
  for (const { name, help } of ours) {
    expect(name).toMatch(/^surety_/);
    expect(name).toMatch(units);
    expect(help.length).toBeGreaterThan(20);
  }
});

test('two processes in one have registries of their own', async () => {
  const one = createMetrics('one');
  const two = createMetrics('two');
  one.sqlCommitsTotal.inc();
  expect(await one.registry.getSingleMetricAsString('surety_sql_commits_total')).toContain('1');
  expect(await two.registry.getSingleMetricAsString('surety_sql_commits_total')).not.toContain(
    ' 1',
  );
});

test('what pools count arrives in the metrics of the process', async () => {
  const metrics = createMetrics('relay');
  const counters = databaseCounters(metrics);
  counters.statement();
  counters.commit();
  counters.retry('1213');
  const text = await metrics.registry.metrics();
  expect(text).toContain('surety_sql_statements_total{process="relay"} 1');
  expect(text).toContain('surety_sql_commits_total{process="relay"} 1');
  expect(text).toContain('surety_errors_total{kind="retry_1213",shard="",process="relay"} 1');
});
