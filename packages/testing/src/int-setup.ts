import { jest } from '@jest/globals';

// Real servers on a busy machine: the bound catches a hang, it does not measure speed.
jest.setTimeout(120_000);
