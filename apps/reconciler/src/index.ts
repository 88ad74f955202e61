export { start } from './process.js';
export type { RunningReconciler } from './process.js';
export { runCli } from './cli/program.js';
export type { CliHost } from './cli/host.js';
export { CHECK_NAMES, runChecks } from './checks/run-checks.js';
export type { CheckResult, Finding } from './checks/types.js';
export { ItemBackoff } from './sweeps/item-backoff.js';
export { ShardSweeps } from './sweeps/run-sweeps.js';
export type { SweepReads, SweepShard } from './sweeps/ports.js';
