import type { TestCertificate } from '../certificates.js';

/** One more listener of a broker of our own, on 127.0.0.1 beside the plain one. */
export interface SecuredListener {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT';
  /** Of this listener alone. */
  readonly settings: Readonly<Record<string, string>>;
}

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

/** Settings of a listener whose clients see this certificate. */
export function keyStore({ certificate, key }: TestCertificate): Record<string, string> {
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.key': key,
    'ssl.keystore.certificate.chain': certificate,
  };
}

/**
 * Settings of a listener that lets clients in by these mechanisms.
 * @param plainUser whom PLAIN lets in; users of SCRAM are the broker's, not a listener's
 */
export function saslMechanisms(
  names: readonly SaslMechanism[],
  plainUser?: { readonly name: string; readonly password: string },
): Record<string, string> {
  const packageName = 'org.apache.kafka.common.security';
  const user = plainUser ? ` user_${plainUser.name}="${plainUser.password}"` : '';
  const login = (name: SaslMechanism): string =>
    name === 'PLAIN'
      ? `${packageName}.plain.PlainLoginModule required${user};`
      : `${packageName}.scram.ScramLoginModule required;`;
  return {
    'sasl.enabled.mechanisms': names.join(','),
    ...Object.fromEntries(
      names.map((name) => [`${name.toLowerCase()}.sasl.jaas.config`, login(name)]),
    ),
  };
}
