export { start, type WorkersProcess } from './start.js';
export { MessageHandler } from './message-handler.js';
export { StepRunner } from './step-runner.js';
export type { DeadLetters } from './dead-letters.js';
export { WORKER_STEPS } from './worker-steps.js';
