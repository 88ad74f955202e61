import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestAuthority } from '@surety/testing/certificates';
import type { TestCertificate } from '@surety/testing/certificates';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
import { ServiceControl } from '@surety/testing/system';
import { createConnection } from 'mysql2/promise';

let shards: TestShards;

beforeAll(async () => {
  shards = await createTestShards();
});

afterAll(() => shards.drop());

/** Prints what a connection is encrypted with, or why there is none. */
const PROGRAM = `
  import { openShards } from '@surety/db';
  const pools = openShards({ urls: [process.env.SHARD_URL], poolSize: 1, partitions: 1 });
  const asked = pools.shards[0].send(["SHOW SESSION STATUS LIKE 'Ssl_cipher'"]);
  console.log(await asked.then(([{ rows }]) => '[' + rows[0][1] + ']', ({ kind, message, cause }) =>
    [kind, message, cause.message].join('; ')));
  await pools.close();
`;

/** In a process of its own: Node.js reads whom to trust at its start. */
function connected(
  server: string | URL,
  { scheme, trusted }: { readonly scheme: string; readonly trusted?: string },
): string {
  const url = Object.assign(new URL(server), { hostname: 'localhost' });
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', PROGRAM],
    {
      env: {
        ...process.env,
        SHARD_URL: url.href.replace('mysql:', scheme),
        ...(trusted === undefined ? {} : { NODE_EXTRA_CA_CERTS: trusted }),
      },
      encoding: 'utf8',
    },
  );
  return stdout.trim() || stderr;
}

it('is not spoken unless the URL asks for it', () => {
  expect(connected(shards.urls[0]!, { scheme: 'mysql:' })).toBe('[]');
});

it('is refused by a server that has none, and to one whose certificate nobody vouches for', () => {
  expect(connected(shards.urls[0]!, { scheme: 'mysqls:' })).toMatch(
    /^environment; .*(HANDSHAKE_NO_SSL_SUPPORT|HANDSHAKE_SSL_ERROR)/,
  );
});

/** A server of its own: those of the run have no certificate, or one that nobody vouches for. */
describe('with a certificate of an authority', () => {
  const engine = process.env['SURETY_TEST_MYSQL_ENGINE'] === 'mysql' ? 'mysql' : 'mariadb';
  const authority = new TestAuthority('Authority of the spec');
  let directory: string;
  let trusted: string;
  let control: ServiceControl;
  let server: URL;

  beforeAll(async () => {
    const root = process.cwd();
    mkdirSync(join(root, '.surety/test'), { recursive: true });
    directory = mkdtempSync(join(root, '.surety/test', 'tls-'));
    trusted = join(directory, 'authority.pem');
    writeFileSync(trusted, authority.certificate);
    control = new ServiceControl(root, directory);
    const tls = authority.issue('shards', ['localhost']);
    const { url } = await control.start(engine, 'shards', { tls });
    server = Object.assign(new URL(url), { pathname: '/information_schema' });
  });

  afterAll(async () => {
    await control.close();
    rmSync(directory, { recursive: true });
  });

  it('is spoken to the host that the certificate names', () => {
    expect(connected(server, { scheme: 'mysqls:', trusted })).toMatch(/^\[(TLS|ECDHE)/);
  });

  it('is refused where nobody trusts the authority', () => {
    const said = connected(server, { scheme: 'mysqls:' });
    expect(said).toMatch(/^environment; .*unable to verify the first certificate/);
  });

  it('is refused where the certificate names another host', async () => {
    await change(authority.issue('shards', ['elsewhere.example']));
    const said = connected(server, { scheme: 'mysqls:', trusted });
    expect(said).toMatch(/^environment; .*does not match certificate's altnames/);
  });

  async function change({ certificate, key }: TestCertificate): Promise<void> {
    const connection = await createConnection(server.href);
    try {
      const [[files]] = (await connection.query(
        'SELECT @@GLOBAL.ssl_cert AS certificate, @@GLOBAL.ssl_key AS `key`',
      )) as unknown as [[{ certificate: string; key: string }]];
      writeFileSync(files.certificate, certificate);
      writeFileSync(files.key, key);
    } finally {
      await connection.end();
    }
    // Read at its start: told to read them again, MySQL also wants to know their authority.
    await control.restart('shards');
  }
});
