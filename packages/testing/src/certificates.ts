import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** In PEM. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** Tags of DER (ITU-T X.690) and identifiers that a certificate needs (RFC 5280, RFC 5758). */
const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const TRUE = Buffer.from('0101ff', 'hex');
const VERSION_3 = Buffer.from('a003020102', 'hex');
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');
const SUBJECT_ALTERNATIVE_NAME = Buffer.from('0603551d11', 'hex');
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const EXTENSIONS = 0xa3;
const DAY_MS = 86_400_000;

/**
 * An authority of a spec's own, made by Node alone: no tool has to be installed, and nobody else
 * trusts it. Its certificates are valid from yesterday until tomorrow.
 */
export class TestAuthority {
  /** Its certificate in PEM: who trusts it trusts all that it issues. */
  readonly certificate: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name: string) {
    const { publicKey, privateKey } = newKeys();
    this.#name = name;
    this.#key = privateKey;
    const isAuthority = extension(BASIC_CONSTRAINTS, TRUE, der(SEQUENCE, TRUE));
    this.certificate = this.#sign(name, publicKey, isAuthority);
  }

  /** @param hosts names and IPv4 addresses that the certificate is valid for; none for a client */
  issue(name: string, hosts: readonly string[] = []): TestCertificate {
    const { publicKey, privateKey } = newKeys();
    const names = hosts.map((host) =>
      isIPv4(host)
        ? der(IP_ADDRESS, Buffer.from(host.split('.').map(Number)))
        : der(DNS_NAME, Buffer.from(host)),
    );
    const hostNames = extension(SUBJECT_ALTERNATIVE_NAME, der(SEQUENCE, ...names));
    const certificate = this.#sign(name, publicKey, ...(names.length > 0 ? [hostNames] : []));
    return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  #sign(subject: string, publicKey: KeyObject, ...extensions: readonly Buffer[]): string {
    const now = Date.now();
    const content = der(
      SEQUENCE,
      VERSION_3,
      // Positive: the first bit is 0, the first byte is not.
      der(INTEGER, Buffer.from([0x40]), randomBytes(8)),
      ECDSA_WITH_SHA256,
      distinguishedName(this.#name),
      der(SEQUENCE, utcTime(now - DAY_MS), utcTime(now + DAY_MS)),
      distinguishedName(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      ...(extensions.length > 0 ? [der(EXTENSIONS, der(SEQUENCE, ...extensions))] : []),
    );
    const signature = bitString(sign('sha256', content, this.#key));
    return pem(der(SEQUENCE, content, ECDSA_WITH_SHA256, signature));
  }
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const lengthBytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

function bitString(bytes: Buffer): Buffer {
  return der(BIT_STRING, Buffer.from([0]), bytes);
}

function distinguishedName(name: string): Buffer {
  const attribute = der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from(name)));
  return der(SEQUENCE, der(SET, attribute));
}

/** @param parts the identifier, whether it is critical where it is, and the value */
function extension(...parts: readonly Buffer[]): Buffer {
  const value = parts.at(-1) ?? Buffer.alloc(0);
  return der(SEQUENCE, ...parts.slice(0, -1), der(OCTET_STRING, value));
}

function utcTime(atMs: number): Buffer {
  const digits = new Date(atMs)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/\D/g, '')
    .slice(2);
  return der(UTC_TIME, Buffer.from(`${digits}Z`));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
