import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const SPECS = ['**/*.spec.ts', 'tests/**/*.ts', 'packages/testing/**/*.ts'];

/** Nothing reaches into another room by path: what a room offers is its index. */
const NO_PATHS_INTO_ROOMS = {
  regex: '^\\.{1,2}/.*(?:/src/|/dist/|(?:^|/)(?:packages|apps)/)',
  message: 'Import another room by its name (@surety/…), never by a path.',
};
const NO_DEEP_IMPORTS = {
  regex: '^@surety/[^/]+/(?:src|dist)(?:/|$)',
  message: 'Import what the room offers: its exports, never its files.',
};
const NO_TESTING = {
  regex: '^@surety/testing(?:/|$)',
  message: 'packages/testing is for specs only.',
};

/** @param {string} own a pattern of what this room may name beside its own files */
function onlyFrom(own, message) {
  return { regex: `^(?!\\.{1,2}/|(?:${own})$)`, message };
}

/** Of our own rooms, only those named; packages from outside are the package.json's matter. */
function onlyRooms(rooms, message) {
  return { regex: `^@surety/(?!(?:${rooms})$)`, message };
}

/** Import rules of one room. Specs may additionally use packages/testing and their test tools. */
function room(folder, ...patterns) {
  return {
    files: [`${folder}/**/*.ts`],
    ignores: SPECS,
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [NO_PATHS_INTO_ROOMS, NO_DEEP_IMPORTS, NO_TESTING, ...patterns] },
      ],
    },
  };
}

const EXACT_MONEY = [
  {
    selector: "CallExpression[callee.property.name='toNumber']",
    message: 'Money never becomes a float.',
  },
  {
    selector:
      "CallExpression[callee.name='parseFloat'], MemberExpression[property.name='parseFloat']",
    message: 'Parse whole numbers or use big.js: money never becomes a float.',
  },
];

/** What is not in the arguments does not exist for the pure rooms. */
const PURE = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Time comes in with the arguments.',
  },
  {
    selector:
      "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
    message: 'Time comes in with the arguments.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Randomness comes in with the arguments.',
  },
];
const IMPURE_GLOBALS = [
  'process',
  'performance',
  'crypto',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'Buffer',
];
const ASYNC = [
  {
    selector: ':function[async=true], AwaitExpression',
    message: 'The core is synchronous.',
  },
];

const SIZES = {
  complexity: ['error', 10],
  'max-depth': ['error', 3],
  'max-params': ['error', 4],
  'max-lines-per-function': ['error', { max: 70, skipComments: true }],
  'max-lines': ['error', 300],
};

const STRICT_TYPES = {
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/explicit-module-boundary-types': 'error',
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/return-await': 'error',
  // A default that swallows new members is how an event type gets lost: name every member.
  '@typescript-eslint/switch-exhaustiveness-check': 'error',
  '@typescript-eslint/strict-boolean-expressions': [
    'error',
    // An empty text and undefined are the same absence here; a zero and undefined never are.
    { allowString: true, allowNullableString: true, allowNullableBoolean: true },
  ],
  '@typescript-eslint/restrict-template-expressions': [
    'error',
    { allowNumber: true, allowBoolean: true },
  ],
  '@typescript-eslint/restrict-plus-operands': ['error', { allowNumberAndString: false }],
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
  '@typescript-eslint/no-unused-vars': [
    'error',
    {
      ignoreRestSiblings: true,
      argsIgnorePattern: '^_',
      varsIgnorePattern: '^_',
      destructuredArrayIgnorePattern: '^_',
    },
  ],
  // Implementations of asynchronous ports may be synchronous inside.
  '@typescript-eslint/require-await': 'off',
  // Logging transports and streams are duck-typed by their libraries.
  '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
  // Library types promise more than arrives over a wire; a check too many harms nobody.
  '@typescript-eslint/no-unnecessary-condition': 'off',
  '@typescript-eslint/no-unnecessary-type-parameters': 'off',
};

const EVERYWHERE = {
  eqeqeq: ['error', 'always'],
  'no-console': 'error',
  'no-param-reassign': 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
  'prefer-template': 'error',
  curly: ['error', 'multi-line'],
};

const NODE_GLOBALS = Object.fromEntries(
  [
    'AbortController',
    'AbortSignal',
    'Buffer',
    'URL',
    'URLSearchParams',
    'TextDecoder',
    'TextEncoder',
    'clearInterval',
    'clearTimeout',
    'console',
    'fetch',
    'performance',
    'process',
    'queueMicrotask',
    'setImmediate',
    'setInterval',
    'setTimeout',
    'structuredClone',
  ].map((name) => [name, 'readonly']),
);
const K6_GLOBALS = { __ENV: 'readonly', __VU: 'readonly', __ITER: 'readonly', open: 'readonly' };

export default defineConfig(
  { ignores: ['**/dist/', '**/coverage/', '.surety/', 'k8s/', 'load/results/'] },
  {
    // No rule is switched off from inside a file.
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
  },
  js.configs.recommended,
  { rules: EVERYWHERE },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: { ...STRICT_TYPES, ...SIZES, 'no-restricted-syntax': ['error', ...EXACT_MONEY] },
  },

  room('packages/domain', onlyFrom('big\\.js', 'The domain imports big.js and nothing else.')),
  room(
    'packages/contracts',
    onlyFrom('zod|@surety/domain', 'Contracts import zod and the domain.'),
  ),
  room(
    'packages/saga',
    onlyFrom('@surety/domain|@surety/contracts', 'The saga imports domain and contracts.'),
  ),
  room('packages/runtime', onlyRooms('runtime', 'The runtime knows none of our rooms.')),
  room('db', onlyRooms('domain|contracts|saga', 'db knows saga, contracts and domain.')),
  room(
    'apps',
    onlyRooms('domain|contracts|saga|runtime|db', 'Applications never import each other.'),
  ),
  {
    files: ['packages/domain/**/*.ts', 'packages/saga/**/*.ts'],
    ignores: SPECS,
    rules: {
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
      'no-restricted-syntax': ['error', ...EXACT_MONEY, ...PURE],
    },
  },
  {
    files: ['packages/domain/**/*.ts'],
    ignores: SPECS,
    rules: { 'no-restricted-syntax': ['error', ...EXACT_MONEY, ...PURE, ...ASYNC] },
  },
  {
    files: SPECS,
    rules: {
      'no-restricted-imports': ['error', { patterns: [NO_PATHS_INTO_ROOMS, NO_DEEP_IMPORTS] }],
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'max-params': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Schemas carry their type in themselves: writing it twice would be the only way to be wrong.
    files: ['packages/runtime/src/{settings,common-shape}.ts'],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    files: ['packages/testing/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      'max-lines': ['error', 300],
    },
  },
  {
    files: ['apps/reconciler/src/cli*', 'apps/reconciler/src/cli*/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: { globals: NODE_GLOBALS },
    rules: { 'no-console': 'off', ...SIZES },
  },
  {
    files: ['load/**/*.js'],
    languageOptions: { globals: { ...NODE_GLOBALS, ...K6_GLOBALS } },
    rules: { 'no-console': 'off' },
  },
);
