const MEMBERS = ['amount', 'currency', 'source', 'destination'] as const;

/**
 * The terms that an envelope tells, as its readers parse it: amount, currency, source and destination
 * with spaces between, without those that it has not; null where it is no JSON. Parsed here because
 * the engines take 10 us an event for it, have bounds of nesting of their own, and do not agree on
 * which of two members of one name counts.
 */
export function toldTerms(envelope: string): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(envelope);
  } catch {
    return null;
  }
  const data = membersOf(membersOf(parsed)['data']);
  return MEMBERS.flatMap((name) => {
    const member = data[name];
    return member === undefined ? [] : [textOf(member)];
  }).join(' ');
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

/** What is written without quotes is told too, unless it was rounded: then it is no sum at all. */
function textOf(member: unknown): string {
  if (typeof member === 'string') return member;
  const isRounded = typeof member === 'number' && !Number.isSafeInteger(member);
  return isRounded ? 'rounded' : JSON.stringify(member);
}
