export { start, type RelayProcess } from './start.js';
