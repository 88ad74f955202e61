import { getPriority, setPriority } from 'node:os';
import { runMain } from '@surety/runtime';
import { start } from './process.js';

/**
 * Checks and seals take processor time in one piece, and nobody waits for them: where they share a
 * machine with transfers, those go first. By a little (0 is normal, 19 the least), so that repairs keep
 * their share even where everything is busy.
 */
const NICENESS = 5;

try {
  if (getPriority() < NICENESS) setPriority(NICENESS);
} catch {
  // Where it may not, it goes on at the priority it was given.
}
await runMain('reconciler', start);
