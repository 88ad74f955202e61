import type { Route } from './app.js';
import { getAccount, getBalance, getEntries } from './get-account.js';
import type { GetAccountDependencies } from './get-account.js';
import { getTransfer, getTransferStatus } from './get-transfer.js';
import type { GetTransferDependencies } from './get-transfer.js';
import { ACCOUNTS_PATH, postAccount } from './post-account.js';
import { postCancel } from './post-cancel.js';
import { postFunding } from './post-funding.js';
import type { PostFundingDependencies } from './post-funding.js';
import { TRANSFERS_PATH, postTransfer } from './post-transfer.js';
import type { PostTransferDependencies } from './post-transfer.js';
import { postTransferBatch } from './post-transfer-batch.js';

export type RouteDependencies = PostTransferDependencies &
  PostFundingDependencies &
  GetTransferDependencies &
  GetAccountDependencies;

/** The names that earlier clients use for the same operations. */
const PAYMENTS_PATH = '/api/v1/payments';

/** The API, busiest routes first. */
export function apiRoutes(dependencies: RouteDependencies): readonly Route[] {
  const transfers = { POST: postTransfer(dependencies) };
  const status = { GET: getTransferStatus(dependencies) };
  const cancel = { POST: postCancel(dependencies) };
  const balance = { GET: getBalance(dependencies) };
  return [
    { path: TRANSFERS_PATH, methods: transfers },
    { path: `${TRANSFERS_PATH}/batch`, methods: { POST: postTransferBatch(dependencies) } },
    { path: `${TRANSFERS_PATH}/:id/status`, methods: status },
    { path: `${TRANSFERS_PATH}/:id`, methods: { GET: getTransfer(dependencies) } },
    { path: `${TRANSFERS_PATH}/:id/cancel`, methods: cancel },
    { path: `${ACCOUNTS_PATH}/:id/balance`, methods: balance },
    { path: `${PAYMENTS_PATH}/transfer`, methods: transfers },
    { path: `${PAYMENTS_PATH}/transactions/:id/status`, methods: status },
    { path: `${PAYMENTS_PATH}/transactions/:id/cancel`, methods: cancel },
    { path: `${PAYMENTS_PATH}/accounts/:id/balance`, methods: balance },
    { path: `${ACCOUNTS_PATH}/:id/entries`, methods: { GET: getEntries(dependencies) } },
    { path: `${ACCOUNTS_PATH}/:id/funding`, methods: { POST: postFunding(dependencies) } },
    { path: `${ACCOUNTS_PATH}/:id`, methods: { GET: getAccount(dependencies) } },
    { path: ACCOUNTS_PATH, methods: { POST: postAccount(dependencies) } },
  ];
}
