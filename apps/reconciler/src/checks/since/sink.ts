import type { Check } from '../scope.js';
import { Findings } from '../types.js';
import type { CheckResult, Finding } from '../types.js';

/**
 * Findings by the name of their check: one look at a transfer serves many checks. The same transfer
 * may be met on several ways and is told of once.
 */
export class Sink {
  readonly #promises: ReadonlyMap<string, string>;
  readonly #findings: ReadonlyMap<string, Findings>;
  readonly #told = new Set<string>();

  constructor(checks: readonly Pick<Check, 'name' | 'promise'>[]) {
    this.#promises = new Map(checks.map(({ name, promise }) => [name, promise]));
    this.#findings = new Map(checks.map(({ name }) => [name, new Findings()]));
  }

  /** @throws TypeError for a check that is not among those of this run. */
  of(check: string): Findings {
    const findings = this.#findings.get(check);
    if (!findings) throw new TypeError(`there is no check ${check}`);
    return findings;
  }

  tell(check: string, finding: Finding): void {
    const findings = this.of(check);
    const text = `${check} ${finding.key} ${finding.problem}`;
    if (this.#told.has(text)) return;
    if (!findings.isFull) this.#told.add(text);
    findings.add(finding);
  }

  results(msOf: (check: string) => number): readonly CheckResult[] {
    return Array.from(this.#findings, ([check, findings]) => ({
      check,
      promise: this.#promises.get(check) as string,
      ok: findings.list.length === 0,
      findings: findings.list,
      isCut: findings.isCut,
      rowsChecked: findings.rowsChecked,
      notes: findings.notes,
      ms: msOf(check),
    }));
  }
}
