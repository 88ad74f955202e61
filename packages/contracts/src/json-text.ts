/** Text that stands in JSON as it is. Nearly all is: the test costs less than JSON.stringify. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** The text as JSON writes it, quotation marks included: what JSON.stringify gives, only sooner. */
export function jsonText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
