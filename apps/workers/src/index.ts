export { start, type WorkersProcess } from './start.js';
