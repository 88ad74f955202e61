import { runMain } from '@surety/runtime';
import { start } from './process.js';

await runMain('reconciler', start);
