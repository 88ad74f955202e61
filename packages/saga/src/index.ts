export { snapshotOf } from './change-set.js';
export * from './funding.js';
export * from './open-accounts.js';
export * from './outbox.js';
export * from './ports.js';
export * from './repairs.js';
export * from './request.js';
export * from './steps.js';
export * from './time.js';
