export { readConfig } from './config.js';
export type { IngressConfig } from './config.js';
export { start } from './start.js';
export type { RunningIngress, StartOptions } from './start.js';
