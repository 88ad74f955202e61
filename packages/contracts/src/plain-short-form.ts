import { SHORT_FORM_SCHEMA } from './short-form.js';

/** What the text of an event tells of its terms, and of the one account that it may speak of. */
export interface PlainShortForm {
  readonly source: string;
  readonly destination: string;
  /** Minor units. */
  readonly amount: string;
  readonly currency: string;
  /** undefined where it tells of no account. */
  readonly account: { readonly id: string; readonly balance: string } | undefined;
}

/** A string of JSON that stands for itself: nothing escaped, nothing beyond ASCII. */
const TEXT = '"[ !#-[\\]-~]*"';
const KEPT = '"([ !#-[\\]-~]*)"';
const NUMBER = '(?:0|[1-9][0-9]{0,4})';

/** Every member in the order in which it is written, none of them twice, and nothing between them. */
const PLAIN = new RegExp(
  `^\\{"schema":${SHORT_FORM_SCHEMA},"type":${TEXT},"id":${TEXT},"step":${NUMBER},` +
    `"slots":\\[${NUMBER},${NUMBER}\\],"at":${TEXT},"by":${TEXT},` +
    `"terms":\\[${TEXT},${KEPT},${KEPT},${KEPT},${KEPT}\\]` +
    `(?:,"requested":${TEXT})?(?:,"cause":${NUMBER})?(?:,"trace":${TEXT})?` +
    `(?:,"accounts":\\[\\[${KEPT},${KEPT},${TEXT},${TEXT}\\]\\])?(?:,"reason":${TEXT})?` +
    `(?:,"description":${TEXT})?\\}$`,
);

/**
 * Reads nearly every event without parsing it, at a fifth of the cost and without the objects. It
 * says what a parser would say: a text that matches has no second reading. undefined says nothing
 * about a text but that it has to be parsed.
 */
export function readPlainShortForm(text: string): PlainShortForm | undefined {
  const match = PLAIN.exec(text);
  if (!match) return undefined;
  const [, source, destination, amount, currency, id, balance] = match;
  return {
    source: source as string,
    destination: destination as string,
    amount: amount as string,
    currency: currency as string,
    account: id === undefined || balance === undefined ? undefined : { id, balance },
  };
}
