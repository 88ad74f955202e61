import { runChecks } from '../checks/run-checks.js';
import { EXIT, toJson } from './output.js';
import { printChecks } from './print-checks.js';
import type { CliHost } from './program.js';
import { withShards } from './session.js';

/** All promises over all shards at one instant. */
export async function runCheck(
  host: CliHost,
  options: { readonly json: boolean; readonly only: readonly string[] },
): Promise<number> {
  return withShards(host, async ({ pools }) => {
    const checks = await runChecks(pools, { only: options.only });
    const ok = checks.every((result) => result.ok);
    host.print(options.json ? toJson({ ok, checks }) : printChecks(checks));
    return ok ? EXIT.ok : EXIT.found;
  });
}
