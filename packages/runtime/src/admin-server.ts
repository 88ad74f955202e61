import { STATUS_CODES, createServer, type ServerResponse } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { HEALTH_PATHS, healthRouter, type HealthOptions } from './health.js';

export interface AdminServerOptions extends HealthOptions {
  readonly host: string;
  /** 0 takes any free port; the answer says which. */
  readonly port: number;
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

const READ_METHODS = ['GET', 'HEAD'];
const WHAT_IS_HERE = `Here are ${HEALTH_PATHS.join(', ')}, for ${READ_METHODS.join(' and ')}.`;

/** Liveness, readiness and metrics of a process that has no HTTP interface of its own. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer(adminApp(options));
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

function adminApp(options: HealthOptions): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  // Before the answers: Express would answer OPTIONS to what it has a GET for by itself.
  app.all([...HEALTH_PATHS], (request, response, next) => {
    if (READ_METHODS.includes(request.method)) next();
    else refuse(response, 405, { detail: WHAT_IS_HERE, allow: READ_METHODS.join(', ') });
  });
  app.use(healthRouter(options));
  app.use((_request, response) => {
    refuse(response, 404, { detail: WHAT_IS_HERE });
  });
  // By its four parameters Express knows it; its own answer is a page with the stack.
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else refuse(response, 500, {});
  });
  return app;
}

/**
 * A problem document (RFC 9457) that says no more than its status: the codes are those of the API,
 * of which this room knows nothing.
 */
function refuse(
  response: ServerResponse,
  status: number,
  { detail, allow }: { readonly detail?: string; readonly allow?: string },
): void {
  const title = STATUS_CODES[status];
  response.statusCode = status;
  response.setHeader('content-type', 'application/problem+json');
  if (allow !== undefined) response.setHeader('allow', allow);
  response.end(JSON.stringify({ type: 'about:blank', title, status, detail }));
}
