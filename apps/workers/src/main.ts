import { HEAP_GROWTH_PERCENT_OF_CONSUMERS, runMain } from '@surety/runtime';
import { start } from './start.js';

await runMain('workers', start, { heapGrowthPercent: HEAP_GROWTH_PERCENT_OF_CONSUMERS });
