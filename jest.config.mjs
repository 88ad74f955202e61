/** Sources are ES modules; only the tests run them as CommonJS, which jest handles natively. */
const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: {
    '(\\.(ts|mjs)|/load/.+\\.js)$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  moduleNameMapper: {
    '^@surety/(domain|contracts|saga|runtime|testing)$': '<rootDir>/packages/$1/src/index.ts',
    '^@surety/testing/shard-store-contract$':
      '<rootDir>/packages/testing/src/shard-store-contract.ts',
    '^@surety/testing/certificates$': '<rootDir>/packages/testing/src/certificates.ts',
    '^@surety/testing/recorded-log$': '<rootDir>/packages/testing/src/recorded-log.ts',
    '^@surety/testing/servers$': '<rootDir>/packages/testing/src/servers.ts',
    '^@surety/testing/payer-and-payee$': '<rootDir>/packages/testing/src/payer-and-payee.ts',
    '^@surety/testing/shards$': '<rootDir>/packages/testing/src/shards.ts',
    '^@surety/testing/simulation$': '<rootDir>/packages/testing/src/simulation/index.ts',
    '^@surety/testing/system$': '<rootDir>/packages/testing/src/system/index.ts',
    '^@surety/db$': '<rootDir>/db/src/index.ts',
    '^@surety/(ingress|relay|workers|projector|reconciler)$': '<rootDir>/apps/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.surety/'],
};

const ignored = ['/node_modules/', '/dist/', '<rootDir>/.surety/'];

export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['**/*.unit.spec.ts', '<rootDir>/{tools,load}/**/*.unit.spec.mjs'],
      testPathIgnorePatterns: ignored,
    },
    {
      ...shared,
      displayName: 'int',
      testMatch: ['**/*.int.spec.ts'],
      testPathIgnorePatterns: ignored,
      setupFilesAfterEnv: ['<rootDir>/packages/testing/src/int-setup.ts'],
    },
    {
      ...shared,
      displayName: 'e2e',
      testMatch: ['<rootDir>/tests/e2e/**/*.spec.ts', '<rootDir>/tests/chaos/**/*.spec.ts'],
      testPathIgnorePatterns: [...ignored, '\\.(?:unit|int)\\.spec\\.ts$'],
      setupFilesAfterEnv: ['<rootDir>/packages/testing/src/e2e-setup.ts'],
    },
  ],
};
