export * from './envelope.js';
export * from './topics.js';
export * from './http-answers.js';
export * from './http-projections.js';
export * from './http-requests.js';
export * from './problems.js';
