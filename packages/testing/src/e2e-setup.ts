import { jest } from '@jest/globals';

// End-to-end runs start processes and wait out lock and session time-outs on purpose.
jest.setTimeout(600_000);
