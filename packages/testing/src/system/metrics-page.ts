/** A page in Prometheus' text format, read for sums. */
export class MetricsPage {
  readonly #samples: readonly { name: string; labels: string; value: number }[];

  constructor(text: string) {
    this.#samples = text
      .split('\n')
      .map((line) => /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)/.exec(line))
      .filter((match) => match !== null)
      .map(([, name, labels, value]) => ({
        name: name as string,
        labels: labels ?? '',
        value: Number(value),
      }));
  }

  /** The sum of all samples of a name whose labels contain the given text (`unit="worker"`). */
  sum(name: string, label = ''): number {
    return this.#samples
      .filter((sample) => sample.name === name && sample.labels.includes(label))
      .reduce((total, sample) => total + sample.value, 0);
  }
}

export async function readMetrics(adminUrl: string): Promise<MetricsPage> {
  const answer = await fetch(`${adminUrl}/metrics`);
  return new MetricsPage(await answer.text());
}
