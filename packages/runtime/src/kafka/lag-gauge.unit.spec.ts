import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '../metrics.js';
import { lagGauge } from './lag-gauge.js';

async function sampled(lag: () => Promise<ReadonlyMap<string, number>>): Promise<string> {
  const metrics = createMetrics('spec');
  metrics.consumerLag.set({ topic: 'left', partition: '3' }, 9);
  const gauge = lagGauge({ lag }, metrics);
  gauge.start();
  await gauge.stop();
  return metrics.registry.getSingleMetricAsString('surety_consumer_lag_messages');
}

describe('the gauge of the lag', () => {
  it('shows the partitions that are owned now and no others', async () => {
    const page = await sampled(async () => new Map([['ended/2', 7]]));
    expect(page).toMatch(/topic="ended",partition="2".*\} 7$/m);
    expect(page).not.toContain('left');
  });

  it('shows nothing while the broker does not say', async () => {
    const page = await sampled(() => Promise.reject(new Error('away')));
    expect(page).not.toMatch(/partition=/);
  });
});
