import { fieldError } from '@surety/contracts';
import type { FieldError, FieldFault, FieldRange } from '@surety/contracts';
import type { Exchange, Handler } from './exchange.js';
import { Problem } from './problem.js';

/** What is wrong with a parameter, and within which bounds it would be right. */
export type ParameterFault =
  FieldFault | { readonly fault: FieldFault; readonly range: FieldRange };

/** The value that the text of a parameter stands for, or what is wrong with it. */
export type ParameterReader<Value> = (text: string) => Value | ParameterFault;

type Readers<Values> = { readonly [Name in keyof Values]: ParameterReader<Values[Name]> };

const READ = 'Every wrong query parameter is named in errors.';
const WRITE = `${READ} Nothing was written.`;

/**
 * The parameters of the query, as strictly as a body: those that are not known, and those that come
 * twice, are refused.
 * @throws Problem invalid-request naming every wrong parameter
 */
export function readQuery<Values extends Readonly<Record<string, number | bigint>>>(
  { request }: Exchange,
  readers: Readers<Values>,
): Partial<Values> {
  const errors: FieldError[] = [];
  const values: Record<string, number | bigint> = {};
  for (const [name, given] of Object.entries(request.query ?? {})) {
    const read = readOne(given, Object.hasOwn(readers, name) ? readers[name] : undefined);
    if (typeof read === 'string') errors.push(fieldError(`?${name}`, read));
    else if (typeof read === 'object') errors.push(fieldError(`?${name}`, read.fault, read.range));
    else values[name] = read;
  }
  if (errors.length === 0) return values as Partial<Values>;
  throw new Problem('invalid-request', {
    detail: request.method === 'POST' ? WRITE : READ,
    errors,
  });
}

function readOne(
  given: unknown,
  reader: ParameterReader<number | bigint> | undefined,
): number | bigint | ParameterFault {
  if (!reader) return 'unknown_parameter';
  return typeof given === 'string' ? reader(given) : 'duplicate_parameter';
}

/** For a handler that reads no query of its own: whatever a query says is wrong. */
export function withoutQuery(handler: Handler): Handler {
  return (exchange) => {
    readQuery(exchange, {});
    return handler(exchange);
  };
}
