/** For knex: errors reach the caller, its own lines, stacks among them, would only repeat them. */
export const SILENT = { warn: ignore, error: ignore, deprecate: ignore, debug: ignore };

function ignore(): void {
  return undefined;
}
