import { HEAP_GROWTH_PERCENT_WITH_WORK_IN_HAND, runMain } from '@surety/runtime';
import { readConfig } from './config.js';
import { start } from './start.js';

await runMain('ingress', (environment) => start(readConfig(environment)), {
  heapGrowthPercent: HEAP_GROWTH_PERCENT_WITH_WORK_IN_HAND,
});
