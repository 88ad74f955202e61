import { HEAP_GROWTH_PERCENT_WITH_WORK_IN_HAND, runMain } from '@surety/runtime';
import { start } from './start.js';

await runMain('workers', start, { heapGrowthPercent: HEAP_GROWTH_PERCENT_WITH_WORK_IN_HAND });
