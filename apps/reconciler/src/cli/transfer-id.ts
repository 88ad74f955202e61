import { parseTransferId } from '@surety/domain';
import type { TransferId } from '@surety/domain';
import { CliError } from './output.js';

/** @throws CliError where the text can be no transfer's id. */
export function transferIdOf(text: string): TransferId {
  const id = parseTransferId(text);
  if (id) return id;
  throw new CliError(`${JSON.stringify(text)} is not a transfer id`);
}
