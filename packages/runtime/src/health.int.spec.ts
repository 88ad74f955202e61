import { afterEach, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { startAdminServer, type AdminServer } from './admin-server.js';
import type { HealthOptions } from './health.js';
import { createMetrics } from './metrics.js';

let server: AdminServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const up = () => Promise.resolve();
const away = () =>
  Promise.reject(Object.assign(new Error('mysql://app:hunter2@h'), { code: 'ECONNREFUSED' }));

async function ask(path: string, options: Partial<HealthOptions> = {}, method = 'GET') {
  server = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    checks: { database: up, kafka: up, redis: up },
    metrics: createMetrics('spec'),
    isStopping: () => false,
    process: 'spec',
    ...options,
  });
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  const { status, headers } = response;
  return { status, headers, body: await response.text() };
}

test('a process whose dependencies answer is ready', async () => {
  const { status, body } = await ask('/readyz');
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({
    status: 'ready',
    checks: { database: { ok: true }, kafka: { ok: true }, redis: { ok: true } },
  });
});

test('a process that lacks one is unready and says which, without giving addresses away', async () => {
  const { status, body } = await ask('/readyz', { checks: { database: away, kafka: up } });
  expect(status).toBe(503);
  expect(JSON.parse(body)).toEqual({
    status: 'unready',
    checks: { database: { ok: false, error: 'ECONNREFUSED' }, kafka: { ok: true } },
  });
});

test.each([
  ['a code', new Error('hunter2', { cause: Object.assign(new Error(), { code: 'ETIMEDOUT' }) })],
  ['a name', new Error('hunter2', { cause: new TypeError('hunter2') })],
])('what is behind the failure is told, by %s', async (_kind, failure) => {
  const { body } = await ask('/readyz', { checks: { kafka: () => Promise.reject(failure) } });
  expect(JSON.parse(body)).toMatchObject({
    checks: { kafka: { ok: false, error: expect.stringMatching(/^(ETIMEDOUT|TypeError)$/) } },
  });
});

test('a dependency that is not needed is reported only', async () => {
  const { status, body } = await ask('/readyz', {
    checks: { database: up, redis: away },
    optional: ['redis'],
  });
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ status: 'ready', checks: { redis: { ok: false } } });
});

test('a dependency that hangs counts as away', async () => {
  const { status, body } = await ask('/readyz', { checks: { kafka: () => new Promise(() => {}) } });
  expect(status).toBe(503);
  expect(body).toContain('DeadlineError');
});

test('a stopping process is unready but alive', async () => {
  expect((await ask('/readyz', { isStopping: () => true })).status).toBe(503);
  await server?.close();
  expect((await ask('/livez', { isStopping: () => true })).status).toBe(200);
});

interface Manifest {
  readonly version: string;
}

test('health is a summary and metrics are Prometheus text', async () => {
  const health = await ask('/health');
  expect(JSON.parse(health.body)).toEqual({
    status: 'ok',
    process: 'spec',
    uptimeSeconds: expect.any(Number),
    version: (JSON.parse(readFileSync('packages/runtime/package.json', 'utf8')) as Manifest)
      .version,
  });
  await server?.close();
  const metrics = await ask('/metrics');
  expect(metrics.body).toContain('# HELP surety_outbox_rows');
});

test.each([
  ['POST', '/livez', 405],
  ['OPTIONS', '/metrics', 405],
  ['DELETE', '/readyz', 405],
  ['GET', '/', 404],
  ['OPTIONS', '/', 404],
  ['POST', '/nothing', 404],
  ['GET', '/livez/', 404],
  ['GET', '/LIVEZ', 404],
  ['GET', '/%', 404],
])('%s %s is refused as the API refuses it', async (method, path, expected) => {
  const { status, headers, body } = await ask(path, {}, method);
  expect([status, headers.get('content-type')]).toEqual([expected, 'application/problem+json']);
  expect(JSON.parse(body)).toEqual({
    type: 'about:blank',
    title: expected === 405 ? 'Method Not Allowed' : 'Not Found',
    status: expected,
    detail: 'Here are /livez, /readyz, /metrics, /health, for GET and HEAD.',
  });
  expect(headers.get('allow')).toBe(expected === 405 ? 'GET, HEAD' : null);
});

test.each(['/livez', '/health', '/metrics', '/nothing'])('HEAD %s has no body', async (path) => {
  const { status, body } = await ask(path, {}, 'HEAD');
  expect([status, body]).toEqual([path === '/nothing' ? 404 : 200, '']);
});

test('a failure inside tells nothing of it', async () => {
  const metrics = createMetrics('spec');
  metrics.registry.metrics = () => Promise.reject(new Error('hunter2'));
  const { status, headers, body } = await ask('/metrics', { metrics });
  expect([status, headers.get('content-type')]).toEqual([500, 'application/problem+json']);
  expect(JSON.parse(body)).toEqual({
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
  });
});
