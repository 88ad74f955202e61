import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestShards } from '@surety/testing/shards';
import type { TestShards } from '@surety/testing/shards';
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
function connected(scheme: string, hostname: string, trusted?: string): string {
  const url = new URL(shards.urls[0]!);
  url.hostname = hostname;
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
  expect(connected('mysql:', 'localhost')).toBe('[]');
});

it('is refused by a server that has none, and to one whose certificate nobody vouches for', () => {
  expect(connected('mysqls:', 'localhost')).toMatch(
    /^environment; .*(HANDSHAKE_NO_SSL_SUPPORT|HANDSHAKE_SSL_ERROR)/,
  );
});

const hasOpenSsl = spawnSync('openssl', ['version']).status === 0;
/** MySQL takes new certificates while it runs, MariaDB those of its start. */
const takesCertificates = hasOpenSsl && process.env['SURETY_TEST_MYSQL_ENGINE'] === 'mysql';

(takesCertificates ? describe : describe.skip)('with a trusted certificate', () => {
  const directory = mkdtempSync(join(tmpdir(), 'surety-tls-'));
  const certificate = join(directory, 'certificate.pem');
  let former: Readonly<Record<string, string>>;

  beforeAll(async () => {
    former = await withServer(async (ask) => {
      const [row] = await ask(
        'SELECT @@GLOBAL.ssl_ca AS ssl_ca, @@GLOBAL.ssl_cert AS ssl_cert, @@GLOBAL.ssl_key AS ssl_key',
      );
      return row as Record<string, string>;
    });
  });

  afterAll(async () => {
    await take(former);
    rmSync(directory, { recursive: true });
  });

  /** The server's certificate from now on. */
  async function issue(subjectAltName: string): Promise<void> {
    const key = join(directory, 'key.pem');
    const { status } = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=surety'],
      ...['-addext', `subjectAltName=${subjectAltName}`, '-keyout', key, '-out', certificate],
    ]);
    expect(status).toBe(0);
    await take({ ssl_ca: certificate, ssl_cert: certificate, ssl_key: key });
  }

  it('is spoken to the host that the certificate names', async () => {
    await issue('DNS:localhost');
    expect(connected('mysqls:', 'localhost', certificate)).toMatch(/^\[(TLS|ECDHE)/);
  });

  it('is refused where it names another host', async () => {
    await issue('DNS:elsewhere.example');
    const said = connected('mysqls:', 'localhost', certificate);
    expect(said).toMatch(/^environment; .*does not match certificate's altnames/);
  });
});

type Ask = (sql: string) => Promise<readonly unknown[]>;

async function withServer<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
  const connection = await createConnection(shards.adminUrl);
  try {
    return await work(async (sql) => (await connection.query(sql))[0] as readonly unknown[]);
  } finally {
    await connection.end();
  }
}

function take(files: Readonly<Record<string, string>>): Promise<void> {
  return withServer(async (ask) => {
    for (const [name, file] of Object.entries(files)) await ask(`SET GLOBAL ${name} = '${file}'`);
    await ask('ALTER INSTANCE RELOAD TLS');
  });
}
