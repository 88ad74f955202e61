import { SHARD_URL } from '@surety/db';
import { commonShape, parseEnvironment, processConfig } from '@surety/runtime';
import type { ProcessConfig } from '@surety/runtime';

/** @throws ConfigurationError */
export function readConfig(environment: NodeJS.ProcessEnv): ProcessConfig {
  return processConfig('relay', parseEnvironment(commonShape(SHARD_URL), environment));
}
