/** Codes of the protocol for an authentication that failed. What is not here is told by its number. */
const NAMES: Readonly<Record<number, string>> = {
  33: 'the broker does not offer this mechanism',
  34: 'the listener asks for no SASL',
  58: 'the broker refuses username or password',
};

/**
 * The broker did not let us in, or did not prove who it is. Texts of the broker are left out: they
 * are its own, and could repeat what they were sent.
 */
export class AuthenticationError extends Error {
  override readonly name = 'AuthenticationError';
}

export function authenticationRefusal(errorCode: number): AuthenticationError {
  const reason = NAMES[errorCode] ?? 'authentication failed';
  return new AuthenticationError(`${reason} (Kafka error ${errorCode})`);
}
