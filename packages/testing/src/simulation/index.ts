export * from './faults.js';
export * from './histories.js';
export * from './message-log.js';
export * from './process.js';
export * from './random.js';
export * from './scheduler.js';
export * from './simulated-shard.js';
