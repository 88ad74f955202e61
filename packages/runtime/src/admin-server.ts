import { createServer } from 'node:http';
import express from 'express';
import { healthRouter, type HealthOptions } from './health.js';

export interface AdminServerOptions extends HealthOptions {
  readonly host: string;
  /** 0 takes any free port; the answer says which. */
  readonly port: number;
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Liveness, readiness and metrics of a process that has no HTTP interface of its own. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const app = express();
  app.disable('x-powered-by');
  app.use(healthRouter(options));
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () =>
      new Promise<void>((resolve, reject) => {
        server.close((error) => {
          if (error) reject(error);
          else resolve();
        });
        server.closeAllConnections();
      }),
  };
}
