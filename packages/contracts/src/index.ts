export * from './envelope.js';
export * from './json-text.js';
export { SHORT_FORM_SCHEMA } from './short-form.js';
export * from './topics.js';
export * from './http-answers.js';
export * from './http-projections.js';
export * from './http-requests.js';
export * from './problems.js';
