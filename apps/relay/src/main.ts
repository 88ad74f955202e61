import { runMain } from '@surety/runtime';
import { start } from './start.js';

/**
 * The relay makes so little garbage that its heap is looked through minutes apart: what it drops in
 * the meantime would look like a leak. Sooner costs next to nothing, because little of it is alive.
 */
const HEAP_GROWTH_PERCENT = 10;

await runMain('relay', start, { heapGrowthPercent: HEAP_GROWTH_PERCENT });
