export * from './builders.js';
export * from './conservation.js';
export * from './eventually.js';
export * from './memory-store.js';
