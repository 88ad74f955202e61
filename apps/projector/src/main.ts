import { HEAP_GROWTH_PERCENT_OF_CONSUMERS, runMain } from '@surety/runtime';
import { startRebuild } from './rebuild-process.js';
import { start } from './start.js';

const isRebuild = process.argv[2] === 'rebuild';

await runMain(isRebuild ? 'projector-rebuild' : 'projector', isRebuild ? startRebuild : start, {
  heapGrowthPercent: HEAP_GROWTH_PERCENT_OF_CONSUMERS,
});
