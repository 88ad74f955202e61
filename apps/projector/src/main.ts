import { HEAP_GROWTH_PERCENT_WITH_WORK_IN_HAND, runMain } from '@surety/runtime';
import { startRebuild } from './rebuild-process.js';
import { start } from './start.js';

const isRebuild = process.argv[2] === 'rebuild';

await runMain(isRebuild ? 'projector-rebuild' : 'projector', isRebuild ? startRebuild : start, {
  heapGrowthPercent: HEAP_GROWTH_PERCENT_WITH_WORK_IN_HAND,
});
