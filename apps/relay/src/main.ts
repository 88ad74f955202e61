import { runMain } from '@surety/runtime';
import { start } from './start.js';

await runMain('relay', start);
