/** What is read of an event's text, by the names of its plain form. */
export interface EventText {
  readonly id: string;
  readonly type: string;
  readonly transferId: string;
  readonly accounts: readonly Readonly<Record<'id' | 'balance' | 'held' | 'version', string>>[];
  readonly data: {
    readonly kind: string;
    readonly source: string;
    readonly destination: string;
    readonly amount: string;
    readonly currency: string;
    readonly reason?: string;
    readonly description?: string;
  };
}

/** The short form (schema 2), as far as it is read here. */
interface ShortText {
  readonly schema: 2;
  readonly type: string;
  readonly id: string;
  readonly step: number;
  /** Kind, source, destination, amount, currency. */
  readonly terms: readonly [string, string, string, string, string];
  /** Id, balance, held, version. */
  readonly accounts?: readonly (readonly [string, string, string, string])[];
  readonly reason?: string;
  readonly description?: string;
}

/** Reads either form in its own words: whoever judges the system does not read with its code. */
export function eventTextOf(text: string): EventText {
  const event = JSON.parse(text) as ShortText | (EventText & { readonly schema: 1 });
  if (event.schema === 1) return event;
  if ((event.schema as number) !== 2) throw new Error(`an event of no known schema: ${text}`);
  const { reason, description } = event;
  const [kind, source, destination, amount, currency] = event.terms;
  return {
    id: `${event.id}/${event.step}`,
    type: event.type,
    transferId: event.id,
    accounts: (event.accounts ?? []).map(([id, balance, held, version]) => {
      return { id, balance, held, version };
    }),
    data: {
      ...{ kind, source, destination, amount, currency },
      ...(reason === undefined ? {} : { reason }),
      ...(description === undefined ? {} : { description }),
    },
  };
}
