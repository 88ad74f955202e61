/** So many of one kind are named; more of them tell nothing new. */
const NAMED_MAX = 50;

/** What was found to be wrong, in words, by kind. */
export class Violations {
  readonly #byKind = new Map<string, string[]>();
  readonly #counts = new Map<string, number>();

  add(kind: string, detail: string): void {
    const named = this.#byKind.get(kind) ?? [];
    if (named.length < NAMED_MAX) named.push(detail);
    this.#byKind.set(kind, named);
    this.#counts.set(kind, this.count(kind) + 1);
  }

  count(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  lines(): string[] {
    return [...this.#byKind].flatMap(([kind, named]) => {
      const more = this.count(kind) - named.length;
      const lines = named.map((detail) => `${kind}: ${detail}`);
      return more === 0 ? lines : [...lines, `${kind}: and ${more} more`];
    });
  }
}
