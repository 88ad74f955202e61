import { runMain } from '@surety/runtime';
import { readConfig } from './config.js';
import { start } from './start.js';

await runMain('ingress', (environment) => start(readConfig(environment)));
