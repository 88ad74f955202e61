export * from '../eventually.js';
export * from './backing-servers.js';
export * from './kafka-listeners.js';
export * from './metrics-page.js';
export * from './service-control.js';
export * from './surety-client.js';
export * from './surety-process.js';
export * from './surety-system.js';
